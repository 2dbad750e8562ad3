import type { Queries } from '../store/database.ts';
import { type Job, type JobRef, SHARED_QUEUE } from '../store/queue.ts';
import { WORKER_SILENCE_MS } from '../store/workers.ts';
import type { Engine } from './engine.ts';
import { type Candidate, choose, freePlaces } from './places.ts';

/** Any number that nothing else locks. */
const LOCK = 7_406_992;

/**
 * The only place where a step gets a job, so that nothing ever works beyond the limits. Part of the caller's transaction and its last
 * act: its lock makes all admissions one after the other, and whoever holds it must wait for nothing else. A step whose row somebody
 * else is changing is passed over: workers, who look after things every other second, find it (recovery.ts).
 *
 * Where it lets in a new step of `own.run` and puts it in that queue, the job is returned as one that the caller has fetched.
 */
export async function admit(
  engine: Engine,
  queries: Queries,
  own?: { readonly run: string; readonly queue: string },
): Promise<Job | undefined> {
  await queries.query('select pg_advisory_xact_lock($1)', [LOCK]);
  const active = await activeSteps(queries);
  const free = freePlaces(active, engine.limits);
  if (free.agents + free.others === 0) return undefined;
  const waiting = await waitingSteps(queries, free);
  const chosen = choose(waiting, active, engine.limits);
  if (chosen.length === 0) return undefined;
  let begun: Job | undefined;
  for (const { run, lease, ...job } of await takeIn(queries, chosen)) {
    if (own?.run === run && own.queue === job.queue && lease === 0) begun = await engine.queue.begin(queries, job);
    else await engine.queue.send(queries, job);
  }
  return begun;
}

/** Whether anything waits for a place. */
export async function isAnythingWaiting(queries: Queries): Promise<boolean> {
  const [answer] = await queries.query<{ some: boolean }>(
    `select exists (select 1 from step where state = 'waiting') as some`,
  );
  return answer?.some === true;
}

/** Steps that hold a place. */
export async function activeSteps(queries: Queries): Promise<Candidate[]> {
  return queries.query<Candidate>(
    `select id, repository, requester, provider, holds, agentic, priority, 0::float8 as "waitingMs" from step
     where state in ('admitted', 'running') and job is not null`,
  );
}

/** Steps that wait for a place; those that are alike in all of this differ only in how long. As the index of waiting steps has it. */
const ALIKE = `agentic, repository, coalesce(provider, ''), requester, coalesce(holds, ''), priority`;

/**
 * The steps that could be chosen for so many places. Among those that are alike in all that a limit counts, and in priority, the
 * longest waiting come first anyway: so only the first few of each such group are looked at, however many wait. A run whose refs are
 * on their way to the trash or back has to wait for that.
 */
async function waitingSteps(queries: Queries, free: { agents: number; others: number }): Promise<Candidate[]> {
  return queries.query<Candidate>(
    `with recursive alike (agentic, repository, provider, requester, holds, priority) as (
       (select ${ALIKE} from step where state = 'waiting' order by ${ALIKE} limit 1)
       union all
       select next.* from alike, lateral (
         select ${ALIKE} from step where state = 'waiting' and (${ALIKE})
           > (alike.agentic, alike.repository, alike.provider, alike.requester, alike.holds, alike.priority)
         order by ${ALIKE} limit 1) as next)
     select id, step.repository, step.requester, step.provider, step.holds, step.agentic, step.priority,
       greatest(0, extract(epoch from now() - since))::float8 * 1000 as "waitingMs"
     from alike, lateral (
       select id, repository, requester, provider, holds, agentic, priority, since from step where state = 'waiting'
         and (${ALIKE}) = (alike.agentic, alike.repository, alike.provider, alike.requester, alike.holds, alike.priority)
         and not exists (select 1 from outbox where outbox.run = step.run and done_at is null and kind in ('trash', 'restore'))
       order by since limit case when alike.agentic then $1::int when alike.holds <> '' then least($2::int, 1) else $2::int end) as step`,
    [free.agents, free.others],
  );
}

/** Gives each step a job's name: in the queue of the live worker that was the last to work on its run, or in that of all. */
async function takeIn(
  queries: Queries,
  chosen: readonly Candidate[],
): Promise<(JobRef & { readonly run: string; readonly lease: number })[]> {
  return queries.query(
    `with free as (select id, run from step where id = any($1) and state = 'waiting' for update skip locked)
     update step set state = 'admitted', job = gen_random_uuid(), queue = $2 || coalesce((
       select '-' || worker.id from worker where heartbeat_at > now() - make_interval(secs => $3) and worker.id = (
         select before.worker from step before where before.run = free.run and before.worker is not null
         order by before.position desc limit 1)), '')
     from free where step.id = free.id returning step.job as id, queue, step.id as step, step.run, lease`,
    [chosen.map((step) => step.id), SHARED_QUEUE, WORKER_SILENCE_MS / 1000],
  );
}
