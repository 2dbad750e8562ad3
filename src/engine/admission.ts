import type { Queries } from '../store/database.ts';
import { queueOf, SHARED_QUEUE } from '../store/queue.ts';
import { WORKER_SILENCE_MS } from '../store/workers.ts';
import type { Engine, FleetLimits } from './engine.ts';

/** Any number that nothing else locks. */
const LOCK = 7_406_992;
/** How many waiting steps are looked at; the rest waits behind them anyway. */
const HORIZON = 500;
/** Every ten minutes of waiting weigh as much as one point of priority. */
const AGEING_MS = 10 * 60_000;

/** A step that could be worked on, or is. */
export interface Candidate {
  readonly id: string;
  readonly repository: string;
  readonly provider: string | null;
  readonly agentic: boolean;
  readonly priority: number;
  readonly waitingMs: number;
}

/**
 * The only place where a step gets a job, so that nothing ever works beyond the limits. Part of the caller's transaction, late in
 * it: its lock makes all admissions one after the other. Steps whose rows somebody else is changing wait for that one's own call.
 */
export async function admit(engine: Engine, queries: Queries): Promise<void> {
  await queries.query('select pg_advisory_xact_lock($1)', [LOCK]);
  const waiting = await queries.query<Candidate & { holder: string | null }>(
    `select step.id, step.repository, step.provider, step.agentic, step.priority,
       extract(epoch from now() - step.created_at)::float8 * 1000 as "waitingMs",
       (select worker.id from step before join worker on worker.id = before.worker
         where before.run = step.run and before.worker is not null and worker.heartbeat_at > now() - make_interval(secs => $2)
         order by before.created_at desc limit 1) as holder
     from step where state = 'waiting' order by priority desc, created_at limit $1 for update of step skip locked`,
    [HORIZON, WORKER_SILENCE_MS / 1000],
  );
  if (waiting.length === 0) return;
  const chosen = new Set(choose(waiting, await activeSteps(queries), engine.limits).map((step) => step.id));
  for (const step of waiting) {
    if (!chosen.has(step.id)) continue;
    const queue = step.holder === null ? SHARED_QUEUE : queueOf(step.holder);
    const job = await engine.queue.send(queries, queue, step.id);
    await queries.query(`update step set state = 'admitted', job = $2, queue = $3 where id = $1`, [step.id, job, queue]);
  }
}

/** Steps that hold a place. */
export async function activeSteps(queries: Queries): Promise<Candidate[]> {
  return queries.query<Candidate>(
    `select id, repository, provider, agentic, priority, 0::float8 as "waitingMs" from step where state in ('admitted', 'running') and job is not null`,
  );
}

/**
 * Which of the waiting steps fit beside the active ones: by priority, which grows with waiting; among equals the repository that has
 * the fewest at work; then the longest waiting. Pure.
 */
export function choose<Step extends Candidate>(waiting: readonly Step[], active: readonly Candidate[], limits: FleetLimits): Step[] {
  const working: Candidate[] = [...active];
  const left = new Set(waiting);
  const chosen: Step[] = [];
  for (;;) {
    const fitting = [...left].filter((step) => blockedBy(step, working, limits) === undefined);
    const best = fitting.reduce<Step | undefined>((a, b) => (a === undefined || before(b, a, working) ? b : a), undefined);
    if (best === undefined) return chosen;
    left.delete(best);
    working.push(best);
    chosen.push(best);
  }
}

/** The limit that keeps a step waiting, in words; undefined when none does. */
export function blockedBy(step: Candidate, working: readonly Candidate[], limits: FleetLimits): string | undefined {
  const count = (alike: (other: Candidate) => boolean) => working.filter((other) => other.agentic === step.agentic && alike(other)).length;
  if (!step.agentic) return count(() => true) >= limits.others ? `${limits.others} checks and commands are at work, which is the limit` : undefined;
  if (count(() => true) >= limits.agents) return `${limits.agents} agents are at work, which is the limit (limits.agents)`;
  if (count((other) => other.repository === step.repository) >= limits.perRepository) {
    return `${limits.perRepository} agents are at work in this repository, which is the limit (limits.perRepository)`;
  }
  const most = step.provider === null ? undefined : limits.perProvider[step.provider];
  if (most !== undefined && count((other) => other.provider === step.provider) >= most) {
    return `${most} agents of ${step.provider} are at work, which is the limit (limits.perProvider)`;
  }
  return undefined;
}

function before(a: Candidate, b: Candidate, working: readonly Candidate[]): boolean {
  const urgency = (step: Candidate) => step.priority + Math.floor(step.waitingMs / AGEING_MS);
  if (urgency(a) !== urgency(b)) return urgency(a) > urgency(b);
  const busy = (step: Candidate) => working.filter((other) => other.repository === step.repository).length;
  if (busy(a) !== busy(b)) return busy(a) < busy(b);
  return a.waitingMs > b.waitingMs;
}
