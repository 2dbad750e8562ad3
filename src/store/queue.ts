import { AsyncLocalStorage } from 'node:async_hooks';
import { PgBoss } from 'pg-boss';
import { z } from 'zod';
import { SwitchyardError } from '../lib/error.ts';
import type { Database, Queries } from './database.ts';

/** Told when a job was made that can be fetched; the payload names the queue. */
export const JOBS_CHANNEL = 'switchyard_jobs';

/** Work that any worker may take. Each worker has one more queue of its own, for steps whose workspace it holds. */
export const SHARED_QUEUE = 'attempts';
export const queueOf = (worker: string) => `${SHARED_QUEUE}-${worker}`;

/** A job holds one attempt of a step. (id, retryCount) is the claim: whoever holds an older one changes nothing. */
export interface Job {
  readonly id: string;
  readonly retryCount: number;
  readonly queue: string;
  readonly step: string;
}

/** A job as a step's row names it. */
export type JobRef = Pick<Job, 'id' | 'queue' | 'step'>;

/**
 * The queue of admitted steps, on pg-boss. What takes `queries` is part of the caller's transaction. A job is there for as long as
 * its step is admitted or running, and no longer.
 */
export interface Queue extends AsyncDisposable {
  /** Makes a worker's own queue; harmless when it is there. */
  open(worker: string): Promise<void>;
  /** Makes a job of that id. Rejects when none came of it: a step must never be admitted without one. */
  send(queries: Queries, job: JobRef): Promise<void>;
  /** The same for one that the caller has from the beginning, as if it had been fetched. Nobody is told of it. */
  begin(queries: Queries, job: JobRef): Promise<Job>;
  fetch(queue: string, count: number): Promise<Job[]>;
  /** Says that the jobs are being worked on; returns those whose claim is lost. */
  touch(queries: Queries, jobs: readonly Job[]): Promise<Job[]>;
  /** The job has done its duty. False when the claim is lost, and the caller must roll back. */
  complete(queries: Queries, job: Job): Promise<boolean>;
  /** Gives the job back, to be fetched again at once; nothing when the claim is lost. */
  giveBack(queries: Queries, job: Job): Promise<void>;
  /** Takes the job away from whoever holds it. */
  cancel(queries: Queries, job: JobRef): Promise<void>;
}

/** pg-boss allows no less. */
export const HEARTBEAT_SECONDS = 10;
const EXPIRY_SECONDS = 24 * 60 * 60 - 1;
/** Further attempts are limited by the step itself, which also knows why they failed. */
const RETRY_LIMIT = 10_000;
const OPTIONS = {
  heartbeatSeconds: HEARTBEAT_SECONDS,
  expireInSeconds: EXPIRY_SECONDS,
  retryLimit: RETRY_LIMIT,
  retryDelay: 0,
  retentionSeconds: 365 * 24 * 60 * 60,
};

export async function openQueue(database: Database, onError: (error: unknown) => void): Promise<Queue> {
  // pg-boss looks up a queue that it does not know yet: within a transaction that has to go over its connection, since there may be no other.
  const within = new AsyncLocalStorage<Queries>();
  const boss = new PgBoss({
    db: {
      executeSql: async (text: string, values?: unknown[]) => ({
        rows: await (within.getStore() ?? database).query(text, values),
      }),
    },
    schedule: false,
    // Lost jobs are found by the workers (engine/recovery.ts), which renew their own claims before they look at those of others.
    supervise: false,
    registerInstance: false,
  });
  boss.on('error', onError);
  await boss.start();
  await boss.createQueue(SHARED_QUEUE, OPTIONS);

  const make = async (queries: Queries, { id, queue, step }: JobRef): Promise<void> => {
    const made = await within.run(queries, () => boss.send(queue, { step }, { id }));
    if (made !== id) throw noJob(step);
  };
  return {
    open: (worker) => boss.createQueue(queueOf(worker), OPTIONS),
    async send(queries, job) {
      await make(queries, job);
      await announce(queries, job.queue);
    },
    async begin(queries, { id, queue, step }) {
      await make(queries, { id, queue, step });
      const begun = await queries.query(
        `update pgboss.job set state = 'active', started_on = now(), heartbeat_on = now() where name = $1 and id = $2 returning 1`,
        [queue, id],
      );
      if (begun.length !== 1) throw noJob(step);
      return { id, queue, step, retryCount: 0 };
    },
    async fetch(queue, count) {
      const jobs = await boss.fetch<{ step: string }>(queue, { batchSize: count, includeMetadata: true });
      return jobs.map((job) => ({ id: job.id, retryCount: job.retryCount, queue, step: job.data.step }));
    },
    async touch(queries, jobs) {
      const lost: Job[] = [];
      for (const [queue, some] of Map.groupBy(jobs, (job) => job.queue)) {
        const answer = await within.run(queries, () => boss.touch(queue, some.map(claimOf)));
        const kept = new Set(Answer.parse(answer).settled);
        lost.push(...some.filter((job) => !kept.has(job.id)));
      }
      return lost;
    },
    // Deleted at once, so that the table stays as small as what is at work; what has been is in the journal.
    async complete(queries, job) {
      const answer = await within.run(queries, () => boss.deleteJob(job.queue, claimOf(job)));
      return Answer.parse(answer).affected === 1;
    },
    async giveBack(queries, job) {
      await within.run(queries, () => boss.fail(job.queue, claimOf(job)));
      await announce(queries, job.queue);
    },
    async cancel(queries, job) {
      await within.run(queries, () => boss.deleteJob(job.queue, job.id));
    },
    async [Symbol.asyncDispose]() {
      await boss.stop({ graceful: false, close: false });
    },
  };
}

async function announce(queries: Queries, queue: string): Promise<void> {
  await queries.query('select pg_notify($1, $2)', [JOBS_CHANNEL, queue]);
}

const claimOf = ({ id, retryCount }: Job) => ({ id, retryCount });

/** pg-boss answers with the ids that it has changed, which its types leave out. */
const Answer = z.object({ affected: z.number(), settled: z.array(z.string()).default([]) });

function noJob(step: string): SwitchyardError {
  return new SwitchyardError({
    code: 'internal/bug',
    message: `No job was made for step ${step}.`,
    hint: 'Please report this.',
  });
}
