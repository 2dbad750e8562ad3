import type { Actor } from '../domain/actor.ts';
import { type EventPayload, isTranscript } from '../domain/event.ts';
import { tell, toldBy } from '../store/attempts.ts';
import { appendEvents, type NewEvent, tellEvents } from '../store/events.ts';
import { holdRun } from '../store/runs.ts';
import type { Claim } from './claim.ts';
import { type Engine, event } from './engine.ts';

/** How long an agent's words may wait for more of them. */
const GATHER_MS = 100;
/** An agent that prints faster than the database writes has to wait. */
const MOST_PENDING = 500;
const MOST_PENDING_CHARACTERS = 1_000_000;
/** Lines of text that come together become one event of at most so many characters. */
const JOINED_CHARACTERS = 16 * 1024;
/** An agent that says more than so many characters in one attempt is no longer written down. */
const MOST_SPOKEN_CHARACTERS = 16 * 1024 * 1024;

/**
 * Writes an attempt's events, in order and each once, in as few transactions as the reader can bear. Writes nothing once the lease is
 * lost. What could not be written is kept, and tried again with what comes next. Disposing writes what is left.
 */
export class Journal implements AsyncDisposable {
  readonly #engine: Engine;
  readonly #claim: Claim;
  readonly #actor: Actor;
  readonly #over = new AbortController();
  #pending: NewEvent[] = [];
  #characters = 0;
  #spoken = 0;
  #isGathering = false;
  #writing: Promise<void> = Promise.resolve();
  /** How many are in the database. */
  #told = 0;
  /** How many of the pending ones have been tried before, and may be in the database without our knowing. */
  #kept = 0;

  constructor(engine: Engine, claim: Claim, actor: Actor) {
    this.#engine = engine;
    this.#claim = claim;
    this.#actor = actor;
  }

  /** Resolves when the event is stored, or, of a transcript, when it is queued to be. */
  async add(payload: EventPayload): Promise<void> {
    if (isTranscript(payload.kind) && !this.#hasRoomFor(payload)) return;
    if (!this.#joined(payload)) this.#pending.push(event(this.#engine, this.#actor, payload));
    this.#characters += charactersOf(payload);
    const isFull = this.#pending.length >= MOST_PENDING || this.#characters >= MOST_PENDING_CHARACTERS;
    if (!isTranscript(payload.kind) || isFull) return this.flush();
    void this.#gather();
  }

  /** Resolves when everything added before is stored. */
  flush(): Promise<void> {
    // Each goes on after the one before, also when that has failed.
    this.#writing = this.#writing.catch(() => undefined).then(() => this.#write());
    return this.#writing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    await this.flush();
  }

  /** Counts what is said; past the bound that is said, once, and nothing more is taken. */
  #hasRoomFor(payload: EventPayload): boolean {
    const before = this.#spoken;
    this.#spoken += charactersOf(payload);
    if (this.#spoken <= MOST_SPOKEN_CHARACTERS) return true;
    if (before > MOST_SPOKEN_CHARACTERS) return false;
    const text = `The agent has said more than ${MOST_SPOKEN_CHARACTERS / 2 ** 20} MiB; the rest of its words is not kept.`;
    this.#pending.push(event(this.#engine, this.#actor, { kind: 'message', level: 'warning', text }));
    return false;
  }

  /** Adds a line of text to the one before it, where both wait to be written. */
  #joined(payload: EventPayload): boolean {
    const last = this.#pending.length > this.#kept ? this.#pending.at(-1) : undefined;
    if (payload.kind !== 'agent.text' || last?.payload.kind !== 'agent.text' || last.payload.node !== payload.node)
      return false;
    const text = `${last.payload.text}\n${payload.text}`;
    if (text.length > JOINED_CHARACTERS) return false;
    this.#pending[this.#pending.length - 1] = { ...last, payload: { ...last.payload, text } };
    return true;
  }

  async #gather(): Promise<void> {
    if (this.#isGathering) return;
    this.#isGathering = true;
    await this.#engine.clock.sleep(GATHER_MS, this.#over.signal);
    this.#isGathering = false;
    // What fails here is still pending, and fails for whoever adds or flushes next.
    if (!this.#over.signal.aborted) await this.flush().catch(() => undefined);
  }

  async #write(): Promise<void> {
    const events = this.#pending;
    if (events.length === 0) return;
    this.#pending = [];
    this.#characters = 0;
    this.#kept = 0;
    try {
      await this.#append(events);
    } catch (error) {
      this.#pending = [...events, ...this.#pending];
      this.#kept = events.length;
      throw error;
    }
    this.#told += events.length;
  }

  async #append(events: readonly NewEvent[]): Promise<void> {
    const { step, attempt, run } = this.#claim;
    const before = this.#told;
    const { database } = this.#engine;
    if (await tellEvents(database, { run: run.id, step: step.id, n: attempt, told: before }, events)) return;
    await database.transaction(async (queries) => {
      await holdRun(queries, run.id);
      const told = await toldBy(queries, { step: step.id, n: attempt });
      if (told === undefined) return; // the lease is lost
      // Some, or all, may have been committed without our hearing of it.
      await appendEvents(queries, run.id, events.slice(told - before));
      await tell(queries, { step: step.id, n: attempt }, before + events.length);
    });
  }
}

function charactersOf(payload: EventPayload): number {
  return Object.values(payload).reduce<number>((sum, value) => sum + (typeof value === 'string' ? value.length : 0), 0);
}
