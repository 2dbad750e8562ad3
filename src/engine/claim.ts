import { type Actor, SYSTEM } from '../domain/actor.ts';
import type { Queries } from '../store/database.ts';
import type { Job } from '../store/queue.ts';
import type { AttemptRow, StepRow } from '../store/rows.ts';
import { type RunRow } from '../store/rows.ts';
import { lockRun } from '../store/runs.ts';
import { attemptsOf, endAttempt, getStep, insertAttempt, updateStep } from '../store/steps.ts';
import type { Engine } from './engine.ts';
import { openRun, record, setState, write } from './transition.ts';

/** A step that this worker may work on, under the lease number `attempt`. */
export interface Claim {
  readonly job: Job;
  readonly run: RunRow;
  readonly step: StepRow;
  readonly attempt: number;
  /** All earlier attempts of the step. */
  readonly earlier: readonly AttemptRow[];
}

/** After so many attempts that nobody ended, the step is a fault of its own. */
const MOST_LOST_ATTEMPTS = 8;

/**
 * Takes a fetched job: the step gets the next lease number, which voids every earlier attempt. Undefined when the job is stale
 * (the step went on without it); it is then off the queue.
 */
export async function claim(engine: Engine, worker: string, job: Job): Promise<Claim | undefined> {
  return engine.database.transaction(async (queries) => {
    const found = await getStep(queries, job.step);
    const row = found === undefined ? undefined : await lockRun(queries, found.run);
    const step = row === undefined ? undefined : await getStep(queries, job.step);
    if (row === undefined || step === undefined || step.job !== job.id || (step.state !== 'admitted' && step.state !== 'running')) {
      await engine.queue.complete(queries, job);
      return undefined;
    }
    const run = openRun(engine, queries, row);
    const now = new Date(engine.clock.now());
    const actor: Actor = { kind: 'system', name: worker };
    const earlier = await attemptsOf(queries, step.id);
    for (const attempt of earlier) {
      if (!(await endAttempt(queries, { step: step.id, n: attempt.n }, 'taken-over', attempt.seen_at))) continue;
      record(run, actor, { kind: 'attempt.ended', node: step.node, n: step.n, attempt: attempt.n, result: 'taken-over' });
      run.changes.consumed = addWall(run.changes.consumed ?? row.consumed, attempt.seen_at.getTime() - attempt.started_at.getTime());
    }
    const attempt = step.lease + 1;
    await insertAttempt(queries, { step: step.id, n: attempt, worker, seen_at: now, started_at: now });
    await updateStep(queries, step.id, { state: 'running', lease: attempt, worker, started_at: step.started_at ?? now });
    if (row.state.kind === 'queued') setState(run, { kind: 'running' });
    if (attempt === 1) record(run, SYSTEM, { kind: 'step.started', node: step.node, n: step.n, nodeKind: step.kind });
    record(run, actor, { kind: 'attempt.started', node: step.node, n: step.n, attempt, worker });
    await write(run);
    const current = await lockRun(queries, row.id);
    return { job, run: current, step: { ...step, state: 'running', lease: attempt, worker }, attempt, earlier: await attemptsOf(queries, step.id).then((all) => all.filter((one) => one.n < attempt)) };
  });
}

/** Whether the step has been lost so often that a further attempt would hardly fare better. */
export function isHopeless(claimed: Claim): boolean {
  return claimed.earlier.filter((attempt) => attempt.result === 'taken-over').length >= MOST_LOST_ATTEMPTS;
}

/** Whether this attempt still holds the lease. Part of the caller's transaction, after `lockRun`. */
export async function holdsLease(queries: Queries, claimed: Claim): Promise<boolean> {
  const step = await getStep(queries, claimed.step.id);
  return step !== undefined && step.state === 'running' && step.lease === claimed.attempt;
}

export function addWall<Consumed extends { readonly wall: number }>(consumed: Consumed, ms: number): Consumed {
  return { ...consumed, wall: consumed.wall + Math.max(0, Math.round(ms)) };
}
