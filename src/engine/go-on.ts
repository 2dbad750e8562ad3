import { type FlowState, reenter } from '../blueprint/advance.ts';
import type { Actor } from '../domain/actor.ts';
import { SwitchyardError } from '../lib/error.ts';
import { latestNumbers, openStep } from '../store/steps.ts';
import { grantMore } from './grant.ts';
import { current, endWaiting, enter, type OpenRun, setState } from './transition.ts';

/** How an approval ends that a person does not answer: the run goes on elsewhere. No blueprint can have a choice of this name. */
export const PASSED_OVER = 'passed over';

/**
 * Enters a node again at which a person wants the run to go on, whatever the run waits at; makes a step. The caller says so in the
 * journal.
 */
export async function goOnAt(
  run: OpenRun,
  {
    node,
    actor,
    followUp = false,
    newRound = followUp,
  }: { node: string; actor: Actor; followUp?: boolean; newRound?: boolean },
): Promise<void> {
  const { row, queries } = run;
  await goOn(run, actor);
  const flow = current(run).flow as FlowState;
  // Steps outside of the blueprint have numbers of the same kind.
  const counts = { ...flow.counts, ...(await latestNumbers(queries, row.id)) };
  await enter(run, reenter(row.blueprint, { ...flow, counts }, node, { newRound }), { followUp });
}

/** The run is at work again: nobody waits at an approval any more, and bounds that are used up are given again. */
export async function goOn(run: OpenRun, actor: Actor): Promise<void> {
  const now = current(run);
  const waiting = await openStep(run.queries, now.id);
  if (waiting !== undefined) await endWaiting(run, waiting, { outcome: PASSED_OVER, outputs: {}, actor });
  await grantMore(run, actor);
  run.changes.ended_at = null;
  setState(run, { kind: 'running' });
}

export function discarded({ slug }: { readonly slug: string }): SwitchyardError {
  return new SwitchyardError({
    code: 'run/discarded',
    message: `Run ${slug} is discarded.`,
    hint: `Bring it back first: \`switchyard restore ${slug}\`.`,
  });
}
