import type { Actor } from '../domain/actor.ts';
import { endAttempt } from '../store/attempts.ts';
import { lockRun } from '../store/runs.ts';
import { updateStep } from '../store/steps.ts';
import { addWall, type Claim, leaseOf } from './claim.ts';
import type { Engine } from './engine.ts';
import { forgetUnheard, holdGivenUp } from './hold.ts';
import { openRun, record, write, writeAndAdmit } from './transition.ts';

/**
 * Ends an attempt without a result and gives its job back, for another attempt to go on: `interrupted` by a shutdown, or `failed` by
 * no fault of the step's. Where a person asks for the run, it is theirs instead. Nothing when the lease was lost.
 */
export async function giveUp(
  engine: Engine,
  claimed: Claim,
  { result, detail }: { result: 'interrupted' | 'failed'; detail?: string },
): Promise<void> {
  await engine.database.transaction(async (queries) => {
    const row = await lockRun(queries, claimed.run.id);
    if ((await leaseOf(queries, claimed)) !== 'held') return;
    const { step, attempt: n, startedAt, job } = claimed;
    const run = openRun(engine, queries, row);
    const now = new Date(engine.clock.now());
    if (await endAttempt(queries, { step: step.id, n }, { result, at: now })) {
      const actor: Actor = { kind: 'system', name: step.worker ?? 'switchyard' };
      const said = detail === undefined ? {} : { detail };
      record(run, actor, { kind: 'attempt.ended', node: step.node, n: step.n, attempt: n, result, ...said });
      run.changes.consumed = addWall(row.consumed, now.getTime() - startedAt.getTime());
      if (result === 'failed') await updateStep(queries, step.id, { failures: step.failures + 1 });
    }
    if (result === 'interrupted' && (await holdGivenUp(run, step))) {
      if (!(await engine.queue.complete(queries, job))) throw new Error(`the job of step ${step.id} was lost`);
      return writeAndAdmit(run);
    }
    forgetUnheard(run);
    await engine.queue.giveBack(queries, job);
    await write(run);
  });
}
