import { StepAborted } from '../ports/node.ts';
import { JOBS_CHANNEL, type Job, queueOf, SHARED_QUEUE } from '../store/queue.ts';
import { announceWorker, beat, dismissWorker } from '../store/workers.ts';
import { OUTBOX_CHANNEL } from '../store/outbox.ts';
import { runAttempt } from './attempt.ts';
import { claim } from './claim.ts';
import type { Engine } from './engine.ts';
import type { Host } from './host.ts';
import { LeaseLost } from './settle.ts';
import { doEffects } from './effects.ts';
import { CANCEL_CHANNEL } from './cancel.ts';
import { reassign, recoverOwn } from './recovery.ts';

/** How often a worker says that it lives, for itself and for each of its jobs. */
const HEARTBEAT_MS = 2_000;
/** A job that comes back by itself is announced by nobody. */
const POLL_MS = 1_000;
/** On shutdown, how long steps that are about to end may take. */
const GRACE_MS = 1_500;

export interface WorkerFacts {
  readonly machine: string;
  readonly pid: number;
  readonly version: string;
}

/**
 * Fetches jobs and works on them, as many as admission lets in. `stop` ends it in order: nothing new is begun, steps may end within
 * a short grace, the others are saved and given back. `log` is told of what went wrong beside any run.
 */
export class Worker implements AsyncDisposable {
  readonly #engine: Engine;
  readonly #host: Host;
  readonly #log: (text: string, error?: unknown) => void;
  readonly #running = new Map<string, { readonly job: Job; readonly run: string; readonly abort: AbortController; readonly done: Promise<void> }>();
  /** Nothing new is begun. */
  readonly #over = new AbortController();
  /** Nothing is being worked on any more. */
  readonly #ended = new AbortController();
  #wake = Promise.withResolvers<void>();
  #listening: AsyncDisposable | undefined;
  #loops: Promise<unknown> = Promise.resolve();

  constructor(engine: Engine, host: Host, log: (text: string, error?: unknown) => void) {
    this.#engine = engine;
    this.#host = host;
    this.#log = log;
  }

  async start(facts: WorkerFacts): Promise<void> {
    const { database, queue, clock } = this.#engine;
    const { worker } = this.#host;
    await queue.open(worker);
    await announceWorker(database, { id: worker, ...facts, started_at: new Date(clock.now()), heartbeat_at: new Date(clock.now()) });
    await recoverOwn(this.#engine, this.#host);
    this.#listening = await database.listen([JOBS_CHANNEL, CANCEL_CHANNEL, OUTBOX_CHANNEL], (message) => {
      if (message?.channel === CANCEL_CHANNEL) this.#cancel(message.payload);
      else this.#wake.resolve();
    });
    this.#loops = Promise.all([this.#fetchLoop(), this.#heartbeatLoop()]);
  }

  /** How many steps are being worked on. */
  get busy(): number {
    return this.#running.size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    this.#wake.resolve();
    await this.#listening?.[Symbol.asyncDispose]();
    const all = () => Promise.allSettled([...this.#running.values()].map((one) => one.done));
    await Promise.race([all(), this.#engine.clock.sleep(GRACE_MS)]);
    for (const { abort } of this.#running.values()) abort.abort(new StepAborted('shutdown'));
    await all();
    this.#ended.abort();
    await this.#loops;
    await dismissWorker(this.#engine.database, this.#host.worker);
  }

  async #fetchLoop(): Promise<void> {
    const { clock } = this.#engine;
    while (!this.#over.signal.aborted) {
      this.#wake = Promise.withResolvers<void>();
      const found = await this.#guard('fetching jobs', () => this.#fetch());
      if (found === true) continue;
      const waiting = new AbortController();
      await Promise.race([this.#wake.promise, clock.sleep(POLL_MS, waiting.signal)]);
      waiting.abort();
    }
  }

  /** Begins whatever is to be fetched; true when there may be more. */
  async #fetch(): Promise<boolean> {
    const { queue, limits } = this.#engine;
    const most = Math.max(1, limits.agents + limits.others - this.#running.size);
    const own = await queue.fetch(queueOf(this.#host.worker), most);
    const shared = await queue.fetch(SHARED_QUEUE, most);
    const jobs = [...own, ...shared];
    for (const job of jobs) await this.#begin(job);
    const effects = await doEffects(this.#engine, this.#host);
    return jobs.length > 0 || effects;
  }

  async #begin(job: Job): Promise<void> {
    const claimed = await claim(this.#engine, this.#host.worker, job);
    if (claimed === undefined) return;
    const abort = new AbortController();
    if (claimed.run.cancelling) abort.abort(new StepAborted('cancel'));
    const done = runAttempt(this.#engine, this.#host, claimed, abort.signal)
      .catch((error: unknown) => {
        if (!(error instanceof LeaseLost)) return this.#abandon(job, error);
      })
      .finally(() => {
        this.#running.delete(job.id);
        this.#wake.resolve();
      });
    this.#running.set(job.id, { job, run: claimed.run.id, abort, done });
  }

  /** The attempt itself failed, the database perhaps: the job comes back, to us or to another. */
  async #abandon(job: Job, error: unknown): Promise<void> {
    this.#log(`an attempt of step ${job.step} failed`, error);
    await this.#guard('giving a job back', () => this.#engine.queue.giveBack(job));
  }

  async #heartbeatLoop(): Promise<void> {
    const { clock, database } = this.#engine;
    while (!this.#ended.signal.aborted) {
      await this.#guard('heartbeat', async () => {
        await beat(database, this.#host.worker);
        for (const one of this.#running.values()) await this.#touch(one.job, one.abort);
        await reassign(this.#engine);
      });
      await clock.sleep(HEARTBEAT_MS, this.#ended.signal);
    }
  }

  async #touch(job: Job, abort: AbortController): Promise<void> {
    if (!(await this.#engine.queue.touch(job))) {
      if (this.#running.has(job.id)) abort.abort(new StepAborted('lost'));
      return;
    }
    const [row] = await this.#engine.database.query<{ cancelling: boolean }>(
      `with seen as (update attempt set seen_at = now() from step where attempt.step = step.id and attempt.n = step.lease and step.id = $1 and attempt.ended_at is null)
       select run.cancelling from step join run on run.id = step.run where step.id = $1`,
      [job.step],
    );
    if (row?.cancelling === true) abort.abort(new StepAborted('cancel'));
  }

  #cancel(run: string): void {
    for (const one of this.#running.values()) if (one.run === run) one.abort.abort(new StepAborted('cancel'));
  }

  async #guard<T>(what: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!this.#over.signal.aborted) this.#log(`${what} failed`, error);
      return undefined;
    }
  }
}
