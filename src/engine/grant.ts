import type { Actor } from '../domain/actor.ts';
import { heldBudgets } from '../domain/budget.ts';
import { grantBudgets } from '../store/budgets.ts';
import { originByHand } from '../store/model-calls.ts';
import { forgetQuotas } from '../store/upstream-pauses.ts';
import { grantAgain } from './limits.ts';
import { current, type OpenRun, record } from './transition.ts';

/**
 * What a person's wish to go on adds: the run's bounds that are used up get their original amount again, and so do spent budgets that the
 * run is held to; a quota is tried before its reset. Nobody else's adds anything: nothing committed and no time that passes raises a bound.
 */
export async function grantMore(run: OpenRun, actor: Actor): Promise<void> {
  if (actor.kind !== 'person') return;
  const now = current(run);
  const code = now.state.kind === 'parked' ? now.state.reason.code : undefined;
  run.changes.granted = grantAgain(now, code);
  if (code === 'limit/quota') return forgetQuotas(run.queries);
  if (code !== 'limit/budget') return;
  const { engine, queries } = run;
  const { budgets, teams } = engine.budgets;
  // Of whichever agent: a budget of which something is left gets nothing.
  const agents = [...new Set([...Object.keys(engine.limits.providers ?? {}), now.settings.agent])];
  const at = engine.clock.now();
  for (const agent of agents) {
    const spender = await originByHand(queries, { run: now.id, agent });
    if (spender === undefined) return;
    const held = heldBudgets(budgets, { spender, teams, now: at });
    for (const { budget } of await grantBudgets(queries, held, { by: actor, at: new Date(at) })) {
      const text = `${actor.name} has given the budget ${budget.name} its amount once more.`;
      record(run, actor, { kind: 'message', level: 'info', text });
    }
  }
}
