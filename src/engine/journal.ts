import type { Actor } from '../domain/actor.ts';
import { type EventPayload, isTranscript } from '../domain/event.ts';
import { type NewEvent, appendEvents } from '../store/events.ts';
import type { Claim } from './claim.ts';
import { type Engine, event } from './engine.ts';

/** How long an agent's words may wait for more of them. */
const GATHER_MS = 100;
/** An agent that prints faster than the database writes has to wait. */
const MOST_PENDING = 500;
/** Lines of text that come together become one event of at most so many characters. */
const JOINED_TEXT = 16 * 1024;
/** An agent that says more than so many characters in one attempt is no longer written down. */
const MOST_SPOKEN = 16 * 1024 * 1024;

/**
 * Writes an attempt's events, in order, in as few transactions as the reader can bear. Writes nothing once the lease is lost.
 * Disposing writes what is left.
 */
export class Journal implements AsyncDisposable {
  readonly #engine: Engine;
  readonly #claim: Claim;
  readonly #actor: Actor;
  #pending: NewEvent[] = [];
  #writing: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #spoken = 0;

  constructor(engine: Engine, claim: Claim, actor: Actor) {
    this.#engine = engine;
    this.#claim = claim;
    this.#actor = actor;
  }

  /** Resolves when the event is stored, or, of a transcript, when it is queued to be. */
  async add(payload: EventPayload): Promise<void> {
    if (isTranscript(payload.kind) && !this.#hasRoomFor(payload)) return;
    if (this.#joined(payload)) return;
    this.#pending.push(event(this.#engine, this.#actor, payload));
    if (!isTranscript(payload.kind) || this.#pending.length >= MOST_PENDING) return this.flush();
    this.#timer ??= setTimeout(() => void this.flush().catch(() => undefined), GATHER_MS);
  }

  /** Resolves when everything added before is stored. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.flush();
  }

  /** Counts what is said; past the bound it says so, once, and nothing more is taken. */
  #hasRoomFor(payload: EventPayload): boolean {
    const before = this.#spoken;
    this.#spoken += JSON.stringify(payload).length;
    if (this.#spoken <= MOST_SPOKEN) return true;
    if (before > MOST_SPOKEN) return false;
    const text = `The agent has said more than ${MOST_SPOKEN / 2 ** 20} MiB; the rest of its words is not kept.`;
    this.#pending.push(event(this.#engine, this.#actor, { kind: 'message', level: 'warning', text }));
    return false;
  }

  /** Adds a line of text to the one before it, where both wait to be written. */
  #joined(payload: EventPayload): boolean {
    const last = this.#pending.at(-1);
    if (payload.kind !== 'agent.text' || last?.payload.kind !== 'agent.text') return false;
    if (last.payload.node !== payload.node || last.payload.text.length + payload.text.length > JOINED_TEXT) return false;
    this.#pending[this.#pending.length - 1] = { ...last, payload: { ...last.payload, text: `${last.payload.text}\n${payload.text}` } };
    return true;
  }

  async #write(): Promise<void> {
    const events = this.#pending;
    if (events.length === 0) return;
    this.#pending = [];
    const { step, attempt, run } = this.#claim;
    await this.#engine.database.transaction(async (queries) => {
      const holding = await queries.query('select 1 from step where id = $1 and lease = $2 for share', [step.id, attempt]);
      if (holding.length === 1) await appendEvents(queries, run.id, events);
    });
  }
}
