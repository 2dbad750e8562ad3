import { randomUUID } from 'node:crypto';
import { openAttempts } from '../store/attempts.ts';
import type { Database } from '../store/database.ts';
import { HEARTBEAT_SECONDS, type Job, queueOf, SHARED_QUEUE } from '../store/queue.ts';
import { lockRunOf } from '../store/runs.ts';
import { getStep, updateStep } from '../store/steps.ts';
import { WORKER_SILENCE_MS } from '../store/workers.ts';
import { admit, isAnythingWaiting } from './admission.ts';
import type { Engine } from './engine.ts';
import type { Host } from './host.ts';

/**
 * When a worker starts: ends what its former life may have left running, and takes its jobs back at once in place of waiting until
 * their heartbeats are missed. Only for a process that is the one bearer of this worker's name.
 */
export async function recoverOwn({ database, queue }: Engine, host: Host): Promise<void> {
  for (const attempt of await openAttempts(database, host.worker)) {
    for (const namespace of attempt.namespaces) await host.remains.clear(namespace);
  }
  // What it has claimed, and what it has fetched from its own queue and not claimed: nobody else can have taken that.
  const jobs = await database.query<Job>(
    `select job.id, job.retry_count as "retryCount", step.queue, step.id as step
     from step join pgboss.job on job.id = step.job and job.name = step.queue
     where step.state in ('admitted', 'running') and step.job is not null and job.state = 'active'
       and case when step.state = 'running' then step.worker = $1 else step.queue = $2 end`,
    [host.worker, queueOf(host.worker)],
  );
  for (const job of jobs) await queue.giveBack(database, job);
}

/**
 * Looks after steps whose job has nobody: takes jobs from workers that have fallen silent, moves those that wait in the queue of a dead
 * worker to the one that all read, makes a new one where one is gone, and lets in what waits and should not. Meant to be called
 * now and then by each worker, after it has renewed its own claims. `isSteady` is false while the caller itself was not heard of for
 * a time: the others may have been cut off like itself, and are given the time to say that they live.
 */
export async function lookAfterOthers(engine: Engine, { isSteady }: { isSteady: boolean }): Promise<void> {
  const { database, queue } = engine;
  for (const stray of await straysOf(database)) {
    if (stray.why === 'silent' && isSteady) await queue.giveBack(database, stray);
    else if (stray.why === 'stranded') await sendAgain(engine, stray);
  }
  if (await isAnythingWaiting(database)) await database.transaction((queries) => admit(engine, queries));
}

interface Stray extends Job {
  readonly why: 'silent' | 'stranded';
}

/** `stranded`: the job is gone, or waits where nobody reads. */
async function straysOf(database: Database): Promise<Stray[]> {
  return database.query<Stray>(
    `select step.job as id, coalesce(job.retry_count, 0) as "retryCount", step.queue, step.id as step,
       case when job.state = 'active' then 'silent' else 'stranded' end as why
     from step left join pgboss.job on job.id = step.job and job.name = step.queue
     where step.state in ('admitted', 'running') and step.job is not null and case
       when job.state = 'active' then coalesce(job.heartbeat_on, job.started_on) < now() - make_interval(secs => $1)
       when job.state in ('created', 'retry') then step.queue <> $2 and not exists (
         select 1 from worker where step.queue = $2 || '-' || worker.id and heartbeat_at > now() - make_interval(secs => $3))
       else true end`,
    [HEARTBEAT_SECONDS, SHARED_QUEUE, WORKER_SILENCE_MS / 1000],
  );
}

/** A new job for the step in the queue that all read, unless somebody has taken the old one meanwhile. */
async function sendAgain(engine: Engine, stray: Stray): Promise<void> {
  await engine.database.transaction(async (queries) => {
    await lockRunOf(queries, stray.step);
    const step = await getStep(queries, stray.step);
    if (step === undefined || step.job !== stray.id || step.state === 'ended') return;
    const [job] = await queries.query<{ state: string }>(
      'select state from pgboss.job where id = $1 and name = $2 for update',
      [stray.id, stray.queue],
    );
    if (job?.state === 'active') return;
    await engine.queue.cancel(queries, stray);
    const anew = { id: randomUUID(), queue: SHARED_QUEUE, step: step.id };
    await updateStep(queries, step.id, { job: anew.id, queue: anew.queue });
    await engine.queue.send(queries, anew);
  });
}
