import { type Actor, SYSTEM } from '../domain/actor.ts';
import type { Consumed } from '../domain/run.ts';
import { attemptsOf, beginAttempt, endAttempt } from '../store/attempts.ts';
import type { Queries } from '../store/database.ts';
import { type Job, queueOf } from '../store/queue.ts';
import type { AttemptRow, RunRow, StepRow } from '../store/rows.ts';
import { lockRunOf } from '../store/runs.ts';
import { getStep, openStep } from '../store/steps.ts';
import type { Engine } from './engine.ts';
import { current, type OpenRun, openRun, record, setState, write } from './transition.ts';

/** A step that this worker may work on, under the lease number `attempt`. */
export interface Claim {
  readonly job: Job;
  /** As it was when the attempt began. */
  readonly run: Omit<RunRow, 'state_kind'>;
  readonly step: StepRow;
  readonly attempt: number;
  readonly startedAt: Date;
  /** All earlier attempts of the step. */
  readonly earlier: readonly AttemptRow[];
}

/** After so many attempts that nobody ended, or that failed by no fault of the step's, it is left to a person. */
const MOST_LOST_ATTEMPTS = 8;
const MOST_FAILURES = 3;

/**
 * Takes a fetched job: the step gets the next lease number, which voids every earlier attempt. Undefined when the job is stale
 * (the step went on without it, and it is then off the queue) or has been given to somebody else.
 */
export async function claim(engine: Engine, worker: string, job: Job): Promise<Claim | undefined> {
  // By this time an attempt is known again whose beginning was committed without our hearing of it.
  const startedAt = new Date(engine.clock.now());
  return engine.database.transaction(async (queries) => {
    const row = await lockRunOf(queries, job.step);
    const step = row === undefined ? undefined : await getStep(queries, job.step);
    if (row === undefined || step === undefined || step.job !== job.id || step.state === 'ended') {
      await engine.queue.complete(queries, job);
      return undefined;
    }
    if ((await engine.queue.touch(queries, [job])).length > 0) return undefined;
    const attempts = step.lease === 0 ? [] : await attemptsOf(queries, step.id);
    const known = attempts.find((one) => isSame(one, step.lease, { worker, startedAt }));
    if (known !== undefined) {
      return { job, run: row, step, attempt: known.n, startedAt, earlier: attempts.filter((one) => one.n < known.n) };
    }
    const run = openRun(engine, queries, row);
    const earlier = await takeOver(run, { step, attempts, actor: { kind: 'system', name: worker } });
    return begin(run, { job, worker, startedAt, attempt: step.lease + 1, earlier });
  });
}

/**
 * Claims the run's next step, whose job nobody else has seen, in the transaction that ends the one before: what `claim` would do at once,
 * without the way through the queue. `ended` has been written.
 */
export async function claimNext(
  ended: OpenRun,
  { job, worker, startedAt }: Pick<Beginning, 'job' | 'worker' | 'startedAt'>,
): Promise<Claim> {
  const { engine, queries, row } = ended;
  const written = current(ended);
  const run = openRun(engine, queries, { ...row, ...written, state_kind: written.state.kind });
  return begin(run, { job, worker, startedAt, attempt: 1, earlier: [] });
}

/** What `claimNext` has made, when its transaction was committed without our hearing of it; undefined when it has made nothing. */
export async function recallNext(
  engine: Engine,
  queries: Queries,
  { row, worker, startedAt }: { row: RunRow; worker: string; startedAt: Date },
): Promise<Claim | undefined> {
  const step = await openStep(queries, row.id);
  if (step?.state !== 'running' || step.job === null || step.queue !== queueOf(worker)) return undefined;
  const attempt = (await attemptsOf(queries, step.id)).find((one) => isSame(one, step.lease, { worker, startedAt }));
  if (attempt?.n !== 1) return undefined;
  const job = { id: step.job, queue: step.queue, step: step.id, retryCount: 0 };
  if ((await engine.queue.touch(queries, [job])).length > 0) return undefined;
  return { job, run: row, step, attempt: 1, startedAt, earlier: [] };
}

interface Beginning extends Pick<Claim, 'job' | 'attempt' | 'startedAt' | 'earlier'> {
  readonly worker: string;
}

async function begin(run: OpenRun, { worker, ...beginning }: Beginning): Promise<Claim> {
  const { job, attempt, startedAt } = beginning;
  const step = await beginAttempt(run.queries, { step: job.step, n: attempt, worker, at: startedAt });
  if (run.row.state.kind === 'queued') setState(run, { kind: 'running' });
  if (attempt === 1) record(run, SYSTEM, { kind: 'step.started', node: step.node, n: step.n, nodeKind: step.kind });
  record(
    run,
    { kind: 'system', name: worker },
    { kind: 'attempt.started', node: step.node, n: step.n, attempt, worker },
  );
  await write(run);
  return { ...beginning, run: current(run), step };
}

function isSame(
  attempt: AttemptRow,
  lease: number,
  { worker, startedAt }: { worker: string; startedAt: Date },
): boolean {
  const { n, ended_at, started_at } = attempt;
  return n === lease && ended_at === null && attempt.worker === worker && started_at.getTime() === startedAt.getTime();
}

interface Taking {
  readonly step: StepRow;
  readonly attempts: readonly AttemptRow[];
  readonly actor: Actor;
}

/** Ends the attempts whose workers never did; what they have worked counts until they were last heard of. */
async function takeOver(run: OpenRun, { step, attempts, actor }: Taking): Promise<AttemptRow[]> {
  const earlier: AttemptRow[] = [];
  for (const attempt of attempts) {
    const { n, seen_at, started_at } = attempt;
    if (attempt.ended_at !== null || !(await endAttempt(run.queries, attempt, { result: 'taken-over', at: seen_at }))) {
      earlier.push(attempt);
      continue;
    }
    record(run, actor, { kind: 'attempt.ended', node: step.node, n: step.n, attempt: n, result: 'taken-over' });
    run.changes.consumed = addWall(current(run).consumed, seen_at.getTime() - started_at.getTime());
    earlier.push({ ...attempt, ended_at: seen_at, result: 'taken-over' });
  }
  return earlier;
}

/** The bound of attempts that the step has reached; undefined while a further one may fare better. */
export function attemptsBound({ earlier, step }: Claim): { readonly used: number; readonly max: number } | undefined {
  const lost = earlier.filter((attempt) => attempt.result === 'taken-over').length;
  if (lost >= MOST_LOST_ATTEMPTS) return { used: lost, max: MOST_LOST_ATTEMPTS };
  return step.failures >= MOST_FAILURES ? { used: step.failures, max: MOST_FAILURES } : undefined;
}

/** Whether the attempt still holds the lease, or has itself ended the step already. Part of a transaction that holds the run. */
export async function leaseOf(queries: Queries, claimed: Claim): Promise<'held' | 'settled' | 'lost'> {
  const step = await getStep(queries, claimed.step.id);
  if (step === undefined || step.lease !== claimed.attempt) return 'lost';
  if (step.state === 'ended') return 'settled';
  return step.state === 'running' ? 'held' : 'lost';
}

export function addWall(consumed: Consumed, ms: number): Consumed {
  return { ...consumed, wall: consumed.wall + Math.max(0, Math.round(ms)) };
}
