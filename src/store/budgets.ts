import type { Actor } from '../domain/actor.ts';
import { type BudgetState, type HeldBudget, leftOf, type Used } from '../domain/budget.ts';
import type { Queries } from './database.ts';
import { json } from './json.ts';

/**
 * How budgets stand, in their order: the sums of what was recorded in their windows, and what persons have added. One query over a few
 * rows for each, however many calls there were, so it may be asked before every call; none without budgets.
 */
export async function budgetStates(queries: Queries, held: readonly HeldBudget[]): Promise<BudgetState[]> {
  return (await budgetStatesBeside(queries, held, [])).states;
}

/** The same, one for each budget, and which of these calls (their ids) the sums have in them: both as of one moment. */
export async function budgetStatesBeside(
  queries: Queries,
  held: readonly HeldBudget[],
  calls: readonly string[],
): Promise<{ readonly states: BudgetState[]; readonly stored: readonly string[] }> {
  if (held.length === 0) return { states: [], stored: [] };
  const rows = await queries.query<SumsRow>(STATES, [json(held.map(lookedUp)), calls]);
  const states = rows.flatMap(({ position, tokens, cost, unpriced, granted_tokens, granted_cost }) => {
    const one = held[position];
    if (one === undefined) return [];
    return [{ ...one, used: { tokens, cost, unpriced }, granted: { tokens: granted_tokens, cost: granted_cost } }];
  });
  return { states, stored: rows[0]?.stored ?? [] };
}

interface SumsRow {
  readonly position: number;
  readonly tokens: number;
  readonly cost: number;
  readonly unpriced: number;
  readonly granted_tokens: number;
  readonly granted_cost: number;
  /** Of the first row: which of the calls are there. */
  readonly stored: readonly string[] | null;
}

/** Any number that nothing else locks. */
const LOCK = 7_406_994;

/**
 * A person's word that work may go on: each of the budgets of which nothing is left has its original amount again, for its present
 * window. Returns those, as they stood before. One that has something left gets nothing, so that the words of several persons, or for
 * several runs that wait for the same budget, count once. Part of a transaction.
 */
export async function grantBudgets(
  queries: Queries,
  held: readonly HeldBudget[],
  { by, at }: { readonly by: Actor; readonly at: Date },
): Promise<BudgetState[]> {
  if (held.length === 0) return [];
  await queries.query('select pg_advisory_xact_lock($1)', [LOCK]);
  const granted: BudgetState[] = [];
  for (const state of await budgetStates(queries, held)) {
    const more = { tokens: missing(state, 'tokens'), cost: missing(state, 'cost') };
    if (more.tokens === 0 && more.cost === 0) continue;
    const { budget, whose, since } = lookedUp(state, 0);
    await queries.query(
      `insert into budget_grant (budget, whose, since, tokens, cost, by, at)
       values ($1, $2, coalesce($3::timestamptz, '-infinity'), $4, $5, $6, $7)`,
      [budget, whose, since, more.tokens, more.cost, json(by), at],
    );
    granted.push(state);
  }
  return granted;
}

/** What has to be added so that its original amount is left, where nothing is: answers that were on their way may have gone beyond it. */
function missing(state: BudgetState, kind: keyof Used): number {
  const original = state.budget[kind];
  if (original === undefined || leftOf(state)[kind] !== 0) return 0;
  return original + state.used[kind] - (original + state.granted[kind]);
}

function lookedUp({ budget, whose, counts, since }: HeldBudget, position: number) {
  return { position, budget: budget.name, whose, per: counts.by, names: counts.names, since };
}

const STATES = `
  select held.position, coalesce(used.tokens, 0)::float8 as tokens, coalesce(used.cost, 0) as cost, coalesce(used.unpriced, 0)::float8 as unpriced,
    coalesce(given.tokens, 0)::float8 as granted_tokens, coalesce(given.cost, 0) as granted_cost,
    case held.position when 0 then array(select id from model_call where id = any($2::text[])) end as stored
  from jsonb_to_recordset($1::jsonb) as held (position int, budget text, whose text, per text, names text[], since timestamptz)
  left join lateral (
    select sum(tokens) as tokens, sum(cost) as cost, sum(unpriced) as unpriced from model_day
    where model_day.per = held.per and model_day.name = any(held.names)
      and model_day.day >= coalesce((held.since at time zone 'UTC')::date, '-infinity')) as used on true
  left join lateral (
    select sum(tokens) as tokens, sum(cost) as cost from budget_grant
    where budget_grant.budget = held.budget and budget_grant.whose = held.whose
      and budget_grant.since = coalesce(held.since, '-infinity')) as given on true
  order by held.position`;
