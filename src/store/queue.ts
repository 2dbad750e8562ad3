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

/**
 * The queue of admitted steps, on pg-boss. A job whose worker stops touching it comes back after `heartbeatSeconds`; `send` and
 * `complete` are part of the caller's transaction.
 */
export interface Queue extends AsyncDisposable {
  /** Makes a worker's own queue; harmless when it is there. */
  open(worker: string): Promise<void>;
  /** Rejects when no job came of it: a step must never be admitted without one. */
  send(queries: Queries, queue: string, step: string): Promise<string>;
  fetch(queue: string, count: number): Promise<Job[]>;
  /** Says that the job is being worked on; false when the claim is lost. */
  touch(job: Job): Promise<boolean>;
  /** False when the claim is lost, and the caller must roll back. */
  complete(queries: Queries, job: Job): Promise<boolean>;
  /** Gives the job back, to be fetched again at once. */
  giveBack(job: Job): Promise<void>;
  /** Takes the job away from whoever holds it. */
  cancel(queries: Queries, job: { id: string; queue: string }): Promise<void>;
}

/** pg-boss allows no less. */
const HEARTBEAT_SECONDS = 10;
const EXPIRY_SECONDS = 24 * 60 * 60 - 1;
/** Further attempts are limited by the step itself, which also knows why they failed. */
const RETRY_LIMIT = 10_000;

export async function openQueue(database: Database, onError: (error: unknown) => void): Promise<Queue> {
  const boss = new PgBoss({
    db: adapterOf(database),
    schedule: false,
    superviseIntervalSeconds: 1,
    monitorIntervalSeconds: 1,
    reindex: false,
    monitorVacuum: false,
  });
  boss.on('error', onError);
  await boss.start();
  const options = { heartbeatSeconds: HEARTBEAT_SECONDS, expireInSeconds: EXPIRY_SECONDS, retryLimit: RETRY_LIMIT, retryDelay: 0, deleteAfterSeconds: 3600 };
  await boss.createQueue(SHARED_QUEUE, options);

  return {
    open: (worker) => boss.createQueue(queueOf(worker), options),
    async send(queries, queue, step) {
      const id = await boss.send(queue, { step }, { db: adapterOf(queries) });
      if (id === null) throw new SwitchyardError({ code: 'internal/bug', message: `No job was made for step ${step}.`, hint: 'Please report this.' });
      await queries.query('select pg_notify($1, $2)', [JOBS_CHANNEL, queue]);
      return id;
    },
    async fetch(queue, count) {
      const jobs = await boss.fetch<{ step: string }>(queue, { batchSize: count, includeMetadata: true });
      return jobs.map((job) => ({ id: job.id, retryCount: job.retryCount, queue, step: job.data.step }));
    },
    touch: async (job) => affected(await boss.touch(job.queue, claimOf(job))),
    complete: async (queries, job) => affected(await boss.complete(job.queue, claimOf(job), null, { db: adapterOf(queries) })),
    async giveBack(job) {
      await boss.fail(job.queue, claimOf(job));
      await database.query('select pg_notify($1, $2)', [JOBS_CHANNEL, job.queue]);
    },
    async cancel(queries, job) {
      await boss.cancel(job.queue, job.id, { db: adapterOf(queries) });
    },
    async [Symbol.asyncDispose]() {
      await boss.stop({ graceful: false, close: false });
    },
  };
}

const claimOf = (job: Job) => ({ id: job.id, retryCount: job.retryCount });
/** pg-boss answers with a count that its types leave out. */
const Answer = z.object({ affected: z.number() });
const affected = (response: unknown) => Answer.parse(response).affected === 1;

function adapterOf(queries: Queries) {
  return { executeSql: async (text: string, values?: unknown[]) => ({ rows: await queries.query(text, values) }) };
}
