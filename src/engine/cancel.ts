import type { Actor } from '../domain/actor.ts';
import { isEnded, type RunState } from '../domain/run.ts';
import { between } from '../lib/crash-point.ts';
import { lockRun } from '../store/runs.ts';
import { lockOpenStep } from '../store/steps.ts';
import type { Engine } from './engine.ts';
import { isOpen } from './open-refusal.ts';
import { endWaiting, openRun, setEnded, write, writeAndAdmit } from './transition.ts';

/** Told the id of a run whose step is to be stopped. */
export const CANCEL_CHANNEL = 'switchyard_cancel';

export type Cancelled =
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'stopping' }
  | { readonly kind: 'over'; readonly state: RunState };

/**
 * Cancels a run. One that is being worked on is stopped by its worker, which ends the whole process tree and keeps what was done;
 * any other is cancelled at once. A run that is over stays as it is.
 */
export async function cancelRun(engine: Engine, id: string, actor: Actor): Promise<Cancelled> {
  return between(engine.crashPoint, 'decision', () =>
    engine.database.transaction(async (queries) => {
      const row = await lockRun(queries, id);
      if (isEnded(row.state.kind)) return { kind: 'over', state: row.state };
      if (row.opening?.phase === 'open') throw isOpen(row);
      const step = await lockOpenStep(queries, id);
      const run = openRun(engine, queries, row);
      if (step?.state === 'running' && step.job !== null) {
        run.changes.cancelling = true;
        await write(run);
        await queries.query('select pg_notify($1, $2)', [CANCEL_CHANNEL, id]);
        return { kind: 'stopping' };
      }
      if (step !== undefined) {
        const { job, queue } = step;
        if (job !== null && queue !== null) await engine.queue.cancel(queries, { id: job, queue, step: step.id });
        await endWaiting(run, step, { outcome: 'cancelled', outputs: {}, actor });
      }
      setEnded(run, { kind: 'cancelled' }, actor);
      await writeAndAdmit(run);
      return { kind: 'cancelled' };
    }),
  );
}
