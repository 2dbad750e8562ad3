import type { BudgetNow } from '../api/schemas/usage.ts';
import {
  type Budget,
  type BudgetState,
  type HeldBudget,
  heldBudgets,
  heldFor,
  leftOf,
  type Used,
} from '../domain/budget.ts';
import type { FleetBudgets } from '../engine/spending.ts';
import { usersOf } from '../store/budget-users.ts';
import { budgetStates } from '../store/budgets.ts';
import type { Queries } from '../store/database.ts';
import { originByHand } from '../store/model-calls.ts';
import { listRepositories } from '../store/repositories.ts';
import type { RunRow } from '../store/rows.ts';

/** Of persons, labels, … so many are told of each budget: those that have used most. */
const MOST = 10;

interface Asked extends FleetBudgets {
  /** Only those that this run is held to. */
  readonly run: RunRow | undefined;
  /** The agents that have worked in it. */
  readonly agents: readonly string[];
  readonly now: number;
}

/**
 * How the budgets stand that are in force: of a run, those that it is held to; else all, for whoever has used something of them in their
 * present window. Those of single runs and tasks are told of a run alone.
 */
export async function budgetsNow(queries: Queries, asked: Asked): Promise<BudgetNow[]> {
  if (asked.budgets.length === 0) return [];
  const { run } = asked;
  const held = run === undefined ? await ofAll(queries, asked) : await ofRun(queries, run, asked);
  const states = await budgetStates(queries, held);
  const paths = new Map(
    held.some(({ budget }) => budget.per === 'repository')
      ? (await listRepositories(queries)).map(({ id, path }) => [id, path] as const)
      : [],
  );
  return states.map((state) => view(state, paths));
}

async function ofAll(queries: Queries, { budgets, teams, now }: Asked): Promise<HeldBudget[]> {
  const held = budgets
    .filter(({ per }) => per !== 'run' && per !== 'task')
    .map(async (budget) => {
      const users = async () => (hasOwnUsers(budget) ? await usersOf(queries, budget, { now, most: MOST }) : []);
      return heldFor(budget, { names: await users(), teams, now });
    });
  return (await Promise.all(held)).flat();
}

function hasOwnUsers({ per }: Budget): boolean {
  return per !== 'everything' && per !== 'team';
}

/** A step may have another agent than the run, with budgets of its own. */
async function ofRun(queries: Queries, run: RunRow, { budgets, teams, agents, now }: Asked): Promise<HeldBudget[]> {
  const found = new Map<string, HeldBudget>();
  for (const agent of new Set([run.settings.agent, ...agents])) {
    const spender = await originByHand(queries, { run: run.id, agent });
    if (spender === undefined) continue;
    for (const one of heldBudgets(budgets, { spender, teams, now }))
      found.set(JSON.stringify([one.budget.name, one.whose]), one);
  }
  return [...found.values()];
}

function view(state: BudgetState, paths: ReadonlyMap<string, string>): BudgetNow {
  const { budget, whose, until, used, granted } = state;
  const left = leftOf(state);
  const amount = (kind: keyof Used) => {
    const original = budget[kind];
    return original === undefined ? null : { max: original + granted[kind], used: used[kind], left: left[kind] ?? 0 };
  };
  return {
    name: budget.name,
    per: budget.per,
    each: budget.each,
    whose: budget.per === 'everything' ? null : (paths.get(whose) ?? whose),
    cost: amount('cost'),
    tokens: amount('tokens'),
    unpriced: used.unpriced,
    until: until?.toISOString() ?? null,
  };
}
