import { SHARED_QUEUE } from '../store/queue.ts';
import { openAttempts } from '../store/steps.ts';
import { WORKER_SILENCE_MS } from '../store/workers.ts';
import type { Engine } from './engine.ts';
import type { Host } from './host.ts';

/**
 * When a worker starts: ends what its former life may have left running, and takes its jobs back at once in place of waiting until
 * their heartbeats are missed. Only for a process that is the one bearer of this worker's name.
 */
export async function recoverOwn(engine: Engine, host: Host): Promise<void> {
  const { database, queue } = engine;
  for (const attempt of await openAttempts(database, host.worker)) {
    for (const namespace of attempt.namespaces) await host.remains.clear(namespace);
  }
  const jobs = await database.query<{ id: string; retryCount: number; queue: string; step: string }>(
    `select job.id, job.retry_count as "retryCount", job.name as queue, step.id as step
     from step join attempt on attempt.step = step.id and attempt.n = step.lease
     join pgboss.job on job.id = step.job and job.name = step.queue
     where attempt.worker = $1 and step.state = 'running' and job.state = 'active'`,
    [host.worker],
  );
  for (const job of jobs) await queue.giveBack(job);
  await fetchedButNotClaimed(engine, host);
}

/** A job that was fetched from the worker's own queue and never claimed: nobody else can have taken it. */
async function fetchedButNotClaimed({ database, queue }: Engine, host: Host): Promise<void> {
  const jobs = await database.query<{ id: string; retryCount: number; queue: string; step: string }>(
    `select job.id, job.retry_count as "retryCount", job.name as queue, step.id as step
     from step join pgboss.job on job.id = step.job and job.name = step.queue
     where step.queue = $1 and step.state = 'admitted' and job.state = 'active'`,
    [`${SHARED_QUEUE}-${host.worker}`],
  );
  for (const job of jobs) await queue.giveBack(job);
}

/** Moves jobs that wait in the queue of a dead worker to the one that all workers read. */
export async function reassign(engine: Engine): Promise<void> {
  const stranded = await engine.database.query<{ step: string }>(
    `select step.id as step from step join pgboss.job on job.id = step.job and job.name = step.queue
     where step.state in ('admitted', 'running') and step.queue <> $1 and job.state in ('created', 'retry')
       and not exists (select 1 from worker where step.queue = $1 || '-' || worker.id and heartbeat_at > now() - make_interval(secs => $2))`,
    [SHARED_QUEUE, WORKER_SILENCE_MS / 1000],
  );
  for (const { step: id } of stranded) {
    await engine.database.transaction(async (queries) => {
      const [step] = await queries.query<{ job: string; queue: string; id: string }>(
        `select id, job, queue from step where id = $1 and state in ('admitted', 'running') and queue <> $2 for update`,
        [id, SHARED_QUEUE],
      );
      if (step === undefined) return;
      await engine.queue.cancel(queries, { id: step.job, queue: step.queue });
      const job = await engine.queue.send(queries, SHARED_QUEUE, step.id);
      await queries.query('update step set job = $2, queue = $3 where id = $1', [step.id, job, SHARED_QUEUE]);
    });
  }
}
