import { messageOf } from '../lib/error.ts';
import { StepAborted } from '../ports/node.ts';
import { seeAttempts } from '../store/attempts.ts';
import { OUTBOX_CHANNEL } from '../store/outbox.ts';
import { JOBS_CHANNEL, type Job, queueOf, SHARED_QUEUE } from '../store/queue.ts';
import { announceWorker, beat, dismissWorker } from '../store/workers.ts';
import { runAttempt } from './attempt.ts';
import { CANCEL_CHANNEL } from './cancel.ts';
import { type Claim, claim } from './claim.ts';
import { Effects } from './effects.ts';
import type { Engine } from './engine.ts';
import { giveUp } from './give-up.ts';
import { HOLD_CHANNEL } from './hold.ts';
import type { Host } from './host.ts';
import { lookAfterOthers, recoverOwn } from './recovery.ts';
import { Wake } from './wake.ts';

/** How often a worker says that it lives, for itself and for each of its jobs. */
const HEARTBEAT_MS = 2_000;
/** A worker whose last word is older than this was cut off, or asleep. */
const STEADY_MS = 3 * HEARTBEAT_MS;
/** Whatever is to be fetched or done is announced; this is for announcements that were lost. */
const POLL_MS = 5_000;
/** On shutdown, how long steps that are about to end may take, */
const GRACE_MS = 1_500;
/** and how long those that were told to stop. */
const STOP_MS = 60_000;
/** Pause before a job is given back whose attempt failed by no fault of the step's; doubled with each failure. */
const FAILURE_PAUSE_MS = 500;

export interface WorkerFacts {
  readonly machine: string;
  readonly pid: number;
  readonly version: string;
}

interface Running {
  readonly job: Job;
  readonly run: string;
  readonly abort: AbortController;
  /** Never rejects. */
  readonly done: Promise<void>;
}

/**
 * Fetches jobs and works on them, as many as admission lets in. Disposing ends it in order: nothing new is begun, steps may end within
 * a short grace, the others are saved and given back. `log` is told of what went wrong beside any run.
 */
export class Worker implements AsyncDisposable {
  readonly #engine: Engine;
  readonly #host: Host;
  readonly #log: (text: string, error?: unknown) => void;
  readonly #effects: Effects;
  readonly #queues: readonly string[];
  readonly #announced = new Set<string>();
  readonly #running = new Map<string, Running>();
  /** Nothing new is begun. */
  readonly #over = new AbortController();
  /** Nothing is being worked on any more. */
  readonly #ended = new AbortController();
  readonly #jobs = new Wake();
  readonly #outbox = new Wake();
  #listening: AsyncDisposable | undefined;
  #beginning: Promise<unknown> = Promise.resolve();
  #beating: Promise<void> = Promise.resolve();
  #lastBeat: number;

  constructor(engine: Engine, host: Host, log: (text: string, error?: unknown) => void) {
    this.#engine = engine;
    this.#host = host;
    this.#log = log;
    this.#queues = [queueOf(host.worker), SHARED_QUEUE];
    this.#lastBeat = engine.clock.now();
    this.#effects = new Effects({ engine, host, log, atWork: (run) => this.#atWork(run) });
  }

  async start(facts: WorkerFacts): Promise<void> {
    const { database, queue, clock } = this.#engine;
    const { worker: id } = this.#host;
    const now = new Date(clock.now());
    await queue.open(id);
    await announceWorker(database, { id, ...facts, started_at: now, heartbeat_at: now });
    await recoverOwn(this.#engine, this.#host);
    this.#listening = await database.listen([JOBS_CHANNEL, CANCEL_CHANNEL, HOLD_CHANNEL, OUTBOX_CHANNEL], (message) => {
      if (message?.channel === HOLD_CHANNEL) this.#giveUp(message.payload);
      if (message?.channel === CANCEL_CHANNEL) this.#cancel(message.payload);
      if (message === undefined || message.channel === OUTBOX_CHANNEL) this.#outbox.now();
      if (message === undefined) for (const queue of this.#queues) this.#announce(queue);
      else if (message.channel === JOBS_CHANNEL) this.#announce(message.payload);
    });
    const { signal } = this.#over;
    this.#beginning = Promise.all([
      this.#loop('fetching jobs', this.#jobs, () => this.#fetch()),
      this.#loop('doing effects', this.#outbox, () => this.#effects.doAll(signal)),
    ]);
    this.#beating = this.#beat();
  }

  /** How many steps are being worked on. */
  get busy(): number {
    return this.#running.size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { clock, database } = this.#engine;
    this.#over.abort();
    await this.#guard('ending to listen', async () => this.#listening?.[Symbol.asyncDispose]());
    await this.#beginning;
    await within(GRACE_MS, this.#allDone(), clock);
    for (const { abort } of this.#running.values()) abort.abort(new StepAborted('shutdown'));
    await within(STOP_MS, this.#allDone(), clock);
    // Whoever does not stop is taken over from once its heartbeats are missed.
    for (const { job } of this.#running.values()) this.#log(`step ${job.step} does not stop`);
    this.#ended.abort();
    await this.#beating;
    await this.#guard('saying good-bye', () => dismissWorker(database, this.#host.worker));
  }

  async #allDone(): Promise<void> {
    await Promise.all([...this.#running.values()].map((one) => one.done));
  }

  /** Does `act` whenever it is woken, and now and then. */
  async #loop(what: string, wake: Wake, act: () => Promise<void>): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      await this.#guard(what, act);
      await wake.wait(POLL_MS, this.#engine.clock, signal);
    }
  }

  #announce(queue: string): void {
    if (!this.#queues.includes(queue)) return;
    this.#announced.add(queue);
    this.#jobs.now();
  }

  /** Begins whatever is to be fetched from the queues that were announced, or from all when none was. */
  async #fetch(): Promise<void> {
    const { queue, limits } = this.#engine;
    const most = Math.max(1, limits.agents + limits.others);
    const names = this.#announced.size === 0 ? this.#queues : [...this.#announced];
    this.#announced.clear();
    for (const name of names) {
      for (let more = true; more; ) {
        const jobs = await queue.fetch(name, most);
        await Promise.all(jobs.map((job) => this.#guard('claiming a job', () => this.#begin(job))));
        more = jobs.length === most;
      }
    }
  }

  async #begin(job: Job): Promise<void> {
    if (this.#over.signal.aborted) return this.#engine.queue.giveBack(this.#engine.database, job);
    const claimed = await claim(this.#engine, this.#host.worker, job);
    if (claimed !== undefined) this.#work(claimed);
  }

  /** Works on the step, and then on those of the run that were claimed with the end of the one before. */
  #work(claimed: Claim, before?: AbortSignal): void {
    const { job } = claimed;
    const abort = new AbortController();
    if (claimed.run.cancelling) abort.abort(new StepAborted('cancel'));
    // What was said of the run while the step before ended; that one's job is lost by then, which says nothing.
    else if (before?.aborted === true && !isLost(before)) abort.abort(before.reason);
    else if (this.#over.signal.aborted) abort.abort(new StepAborted('shutdown'));
    const done = this.#attempt(claimed, abort.signal).then((following) => {
      this.#running.delete(job.id);
      if (following !== undefined) this.#work(following, abort.signal);
    });
    this.#running.set(job.id, { job, run: claimed.run.id, abort, done });
  }

  /** Never rejects. */
  async #attempt(claimed: Claim, stop: AbortSignal): Promise<Claim | undefined> {
    // A removal that has begun must end first; none begins while this is at work.
    await this.#effects.removal(claimed.run.id);
    try {
      return await runAttempt(this.#engine, this.#host, claimed, {
        stop,
        mayGoOn: () => !this.#over.signal.aborted,
      });
    } catch (error) {
      const { step, attempt } = claimed;
      this.#log(`attempt ${attempt} of step ${step.id} failed`, error);
      await this.#engine.clock.sleep(FAILURE_PAUSE_MS * 2 ** Math.min(step.failures, 6), this.#over.signal);
      const detail = messageOf(error);
      await this.#guard('giving a job back', () => giveUp(this.#engine, claimed, { result: 'failed', detail }));
      return undefined;
    }
  }

  #atWork(run: string): Promise<void> | undefined {
    for (const one of this.#running.values()) if (one.run === run) return one.done;
    return undefined;
  }

  async #beat(): Promise<void> {
    const { clock, database } = this.#engine;
    while (!this.#ended.signal.aborted) {
      await this.#guard('heartbeat', async () => {
        await beat(database, this.#host.worker);
        await this.#touchAll();
        const now = clock.now();
        const isSteady = now - this.#lastBeat < STEADY_MS;
        this.#lastBeat = now;
        await lookAfterOthers(this.#engine, { isSteady });
      });
      await clock.sleep(HEARTBEAT_MS, this.#ended.signal);
    }
  }

  /** Renews the claims; whoever has lost his, or is to be cancelled, is told. */
  async #touchAll(): Promise<void> {
    const { queue, database } = this.#engine;
    const running = [...this.#running.values()];
    if (running.length === 0) return;
    const lost = new Set(
      (
        await queue.touch(
          database,
          running.map((one) => one.job),
        )
      ).map((job) => job.id),
    );
    const cancelling = new Set(
      await seeAttempts(
        database,
        running.map((one) => one.job.step),
      ),
    );
    for (const { job, abort } of running) {
      if (lost.has(job.id)) abort.abort(new StepAborted('lost'));
      else if (cancelling.has(job.step)) abort.abort(new StepAborted('cancel'));
    }
  }

  #giveUp(run: string): void {
    for (const one of this.#running.values()) if (one.run === run) one.abort.abort(new StepAborted('shutdown'));
  }

  #cancel(run: string): void {
    for (const one of this.#running.values()) if (one.run === run) one.abort.abort(new StepAborted('cancel'));
  }

  async #guard<T>(what: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      this.#log(`${what} failed`, error);
      return undefined;
    }
  }
}

const isLost = ({ reason }: AbortSignal): boolean => reason instanceof StepAborted && reason.why === 'lost';

/** Resolves when the work is done, or at the latest after so long. */
async function within(ms: number, work: Promise<void>, clock: Engine['clock']): Promise<void> {
  const done = new AbortController();
  await Promise.race([work.finally(() => done.abort()), clock.sleep(ms, done.signal)]);
}
