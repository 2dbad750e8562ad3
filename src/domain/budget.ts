import { z } from 'zod';
import { counted } from '../lib/counted.ts';
import type { Reason } from './run.ts';
import { formatCount, formatDollars } from './units.ts';

/**
 * Budgets bound what calls to models use over several runs and steps: in a day, a week, a month, or ever. All here is pure. Days, weeks
 * (from Monday) and months begin at midnight UTC, wherever the machine is.
 */

export const BudgetPer = z.enum(['run', 'task', 'person', 'team', 'label', 'repository', 'agent', 'everything']);
export type BudgetPer = z.infer<typeof BudgetPer>;

export const BudgetEach = z.enum(['day', 'week', 'month', 'ever']);
export type BudgetEach = z.infer<typeof BudgetEach>;

/** So much for each one of those that it is `per`, in each of its windows. Money in US dollars; one of both amounts at least is there. */
export const Budget = z.object({
  /** By which grants are known: no other budget has it. */
  name: z.string(),
  per: BudgetPer,
  each: BudgetEach,
  cost: z.number().positive().optional(),
  tokens: z.int().positive().optional(),
});
export type Budget = z.infer<typeof Budget>;

/** Persons by the name of their team; a person may be in several. */
export type Teams = Readonly<Record<string, readonly string[]>>;

/** Whose a call to a model is: all that a budget may be for. */
export interface Spender {
  readonly run: string;
  readonly task: string;
  /** The requester of the run. */
  readonly person: string;
  readonly labels: readonly string[];
  /** Its id. */
  readonly repository: string;
  /** As the machine's configuration names it; null where it is none of those. */
  readonly agent: string | null;
}

/** What use is summed by. A team is the sum of its persons. */
export type SummedBy = Exclude<BudgetPer, 'team'>;

/** A budget as it holds for one of those that it is for, in one window. */
export interface HeldBudget {
  readonly budget: Budget;
  /** The id of the run, task or repository, the name of the person, team, label or agent; empty for everything. */
  readonly whose: string;
  /** What counts against it. */
  readonly counts: { readonly by: SummedBy; readonly names: readonly string[] };
  /** When its window began, and when the next one does; null where it is for ever. */
  readonly since: Date | null;
  readonly until: Date | null;
}

export interface Used {
  readonly tokens: number;
  /** US dollars, as far as prices are known. */
  readonly cost: number;
}

export const NOTHING_USED: Used = { tokens: 0, cost: 0 };

/** Sums of dollars are not exact: what is left of one is looked at in billionths. */
const FINEST = 1_000_000_000;

/** How a budget stands. */
export interface BudgetState extends HeldBudget {
  readonly used: Used & {
    /** Calls of which nobody knows what they cost: a bound on money does not see them. */
    readonly unpriced: number;
  };
  /** Added by persons in this window. */
  readonly granted: Used;
}

/** The budgets that hold for a call, as they are written; one `per: team` for each team of the person, one `per: label` for each label. */
export function heldBudgets(
  budgets: readonly Budget[],
  { spender, teams, now }: { readonly spender: Spender; readonly teams: Teams; readonly now: number },
): HeldBudget[] {
  return budgets.flatMap((budget) =>
    holders(budget.per, spender, teams).map(({ whose, counts }) => ({
      budget,
      whose,
      counts,
      ...windowOf(budget.each, now),
    })),
  );
}

/** A budget as it holds for each of these (persons, labels, ids of repositories, …); one per team for every team, one for everything once. */
export function heldFor(
  budget: Budget,
  { names, teams, now }: { readonly names: readonly string[]; readonly teams: Teams; readonly now: number },
): HeldBudget[] {
  const window = windowOf(budget.each, now);
  const { per } = budget;
  if (per === 'team') return Object.entries(teams).map((team) => ({ budget, ...ofTeam(team), ...window }));
  const each = per === 'everything' ? [''] : names;
  return each.map((name) => ({ budget, whose: name, counts: { by: per, names: [name] }, ...window }));
}

function ofTeam([whose, persons]: [string, readonly string[]]): Pick<HeldBudget, 'whose' | 'counts'> {
  return { whose, counts: { by: 'person', names: [...new Set(persons)] } };
}

function holders(per: BudgetPer, spender: Spender, teams: Teams): Pick<HeldBudget, 'whose' | 'counts'>[] {
  const own = (by: SummedBy, name: string) => ({ whose: name, counts: { by, names: [name] } });
  switch (per) {
    case 'everything':
      return [own(per, '')];
    case 'agent':
      return spender.agent === null ? [] : [own(per, spender.agent)];
    case 'label':
      return [...new Set(spender.labels)].map((label) => own(per, label));
    case 'team':
      return Object.entries(teams)
        .filter(([, persons]) => persons.includes(spender.person))
        .map(ofTeam);
    case 'run':
    case 'task':
    case 'person':
    case 'repository':
      return [own(per, spender[per])];
  }
}

const DAY_MS = 24 * 60 * 60_000;

/** The window that a moment lies in, in milliseconds since the epoch. */
export function windowOf(each: BudgetEach, now: number): Pick<HeldBudget, 'since' | 'until'> {
  const at = new Date(now);
  const midnight = Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate());
  switch (each) {
    case 'day':
      return { since: new Date(midnight), until: new Date(midnight + DAY_MS) };
    case 'week': {
      const monday = midnight - ((at.getUTCDay() + 6) % 7) * DAY_MS;
      return { since: new Date(monday), until: new Date(monday + 7 * DAY_MS) };
    }
    case 'month': {
      const month = (later: number) => new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + later, 1));
      return { since: month(0), until: month(1) };
    }
    case 'ever':
      return { since: null, until: null };
  }
}

/**
 * What may still be used, nothing at the least; undefined for what it does not bound. `underWay`: what has been used and is in no sum yet, such as that of
 * answers that are still coming.
 */
export function leftOf(
  { budget, used, granted }: BudgetState,
  underWay: Used = NOTHING_USED,
): { readonly tokens: number | undefined; readonly cost: number | undefined } {
  const left = (kind: keyof Used) => {
    const max = budget[kind];
    if (max === undefined) return undefined;
    return Math.max(0, Math.round((max + granted[kind] - used[kind] - underWay[kind]) * FINEST) / FINEST);
  };
  return { tokens: left('tokens'), cost: left('cost') };
}

/** The first of which nothing is left. */
export function spentBudget(states: readonly BudgetState[], underWay: Used = NOTHING_USED): BudgetState | undefined {
  return states.find((state) => isSpent(state, underWay));
}

export function isSpent(state: BudgetState, underWay: Used = NOTHING_USED): boolean {
  const { tokens, cost } = leftOf(state, underWay);
  return tokens === 0 || cost === 0;
}

/** Why a run waits for a person whose budget is spent. Code `limit/budget`. */
export function budgetReason(state: BudgetState, underWay: Used = NOTHING_USED): Reason {
  const { budget, until } = state;
  const amounts = (['cost', 'tokens'] as const).filter((kind) => budget[kind] !== undefined);
  const spent = amounts.filter((kind) => leftOf(state, underWay)[kind] === 0);
  const used = (spent.length === 0 ? amounts : spent).map((kind) => usedOf(kind, state, underWay)).join(' and ');
  const again = until === null ? '' : ` It begins again on ${momentText(until)}.`;
  const has = MANY.has(budget.per) ? 'have' : 'has';
  const unseen =
    budget.cost === undefined || state.used.unpriced === 0
      ? ''
      : ` (and ${counted(state.used.unpriced, 'call')} of unknown price)`;
  return {
    code: 'limit/budget',
    message: `${spenderText(state)} ${has} used ${used}${unseen}${windowText(budget.each)}, which is the budget ${budget.name}.${again}`,
  };
}

/** `3k of 5k tokens`, or, of what answers that were on their way have used beyond it, `all of 5k tokens and 133 more`. */
function usedOf(kind: keyof Used, { budget, used, granted }: BudgetState, underWay: Used): string {
  const amount = used[kind] + underWay[kind];
  const max = (budget[kind] ?? 0) + granted[kind];
  const written = (one: number) =>
    kind === 'tokens' ? formatCount(Math.round(one)) : formatDollars(Math.round(one * 100) / 100);
  const whole = kind === 'tokens' ? `${written(max)} tokens` : written(max);
  if (amount <= max) return `${written(amount)} of ${whole}`;
  const more = Math.round((amount - max) * (kind === 'tokens' ? 1 : 100));
  return `all of ${whole}${more === 0 ? '' : ` and ${written(amount - max)} more`}`;
}

/** Of whom the sentence speaks as of several. */
const MANY: ReadonlySet<BudgetPer> = new Set(['everything', 'task', 'label']);

/** For the beginning of a sentence. */
function spenderText({ budget, whose }: HeldBudget): string {
  switch (budget.per) {
    case 'everything':
      return 'All runs together';
    case 'run':
      return 'The run';
    case 'task':
      return 'All runs of this task';
    case 'repository':
      return 'This repository';
    case 'person':
      return whose;
    case 'team':
      return `The team ${whose}`;
    case 'label':
      return `Tasks with the label ${whose}`;
    case 'agent':
      return `The agent ${whose}`;
  }
}

function windowText(each: BudgetEach): string {
  return each === 'ever' ? '' : each === 'day' ? ' today' : ` this ${each}`;
}

/** `2026-11-28 00:00 UTC`. */
function momentText(at: Date): string {
  return `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
