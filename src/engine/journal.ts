import type { Actor } from '../domain/actor.ts';
import { type EventPayload, isTranscript } from '../domain/event.ts';
import { type NewEvent, appendEvents } from '../store/events.ts';
import type { Claim } from './claim.ts';
import { type Engine, event } from './engine.ts';

/** How long an agent's words may wait for more of them. */
const GATHER_MS = 100;
/** An agent that prints faster than the database writes has to wait. */
const MOST_PENDING = 500;

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

  constructor(engine: Engine, claim: Claim, actor: Actor) {
    this.#engine = engine;
    this.#claim = claim;
    this.#actor = actor;
  }

  /** Resolves when the event is stored, or, of a transcript, when it is queued to be. */
  async add(payload: EventPayload): Promise<void> {
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
