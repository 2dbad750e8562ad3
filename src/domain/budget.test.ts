import { describe, expect, test } from 'vitest';
import {
  type Budget,
  type BudgetState,
  budgetReason,
  heldBudgets,
  leftOf,
  type Spender,
  spentBudget,
  windowOf,
} from './budget.ts';

const NOW = Date.UTC(2026, 10, 27, 18, 30); // a Friday
const spender: Spender = {
  run: 'r1',
  task: 't1',
  person: 'ada',
  labels: ['bug', 'totals', 'bug'],
  repository: 'shop',
  agent: 'codex',
};
const teams = { core: ['ada', 'bob', 'bob'], web: ['eve'], all: ['ada', 'eve'] };

function budget(changes: Partial<Budget> = {}): Budget {
  const { per = 'person', each = 'day' } = changes;
  return { name: `${per}-${each}`, per, each, cost: 20, ...changes };
}

function state(changes: Partial<BudgetState> = {}): BudgetState {
  return {
    budget: budget(),
    whose: 'ada',
    counts: { by: 'person', names: ['ada'] },
    ...windowOf('day', NOW),
    used: { tokens: 0, cost: 0, unpriced: 0 },
    granted: { tokens: 0, cost: 0 },
    ...changes,
  };
}

const holders = (held: Budget, whom = spender) =>
  heldBudgets([held], { spender: whom, teams, now: NOW }).map(({ whose, counts }) => [
    whose,
    counts.by,
    ...counts.names,
  ]);

describe('which budgets hold for a call', () => {
  test.each([
    ['run', [['r1', 'run', 'r1']]],
    ['task', [['t1', 'task', 't1']]],
    ['person', [['ada', 'person', 'ada']]],
    ['repository', [['shop', 'repository', 'shop']]],
    ['agent', [['codex', 'agent', 'codex']]],
    ['everything', [['', 'everything', '']]],
  ] as const)('one per %s is that of whoever makes it', (per, expected) => {
    expect(holders(budget({ per }))).toEqual(expected);
  });

  test('one per team holds for each team of the person, and counts all who are in it', () => {
    expect(holders(budget({ per: 'team' }))).toEqual([
      ['core', 'person', 'ada', 'bob'],
      ['all', 'person', 'ada', 'eve'],
    ]);
    expect(holders(budget({ per: 'team' }), { ...spender, person: 'nobody' })).toEqual([]);
  });

  test('one per label holds for each label of the task, once', () => {
    expect(holders(budget({ per: 'label' }))).toEqual([
      ['bug', 'label', 'bug'],
      ['totals', 'label', 'totals'],
    ]);
    expect(holders(budget({ per: 'label' }), { ...spender, labels: [] })).toEqual([]);
  });

  test('one per agent does not hold where no agent of the configuration is at work', () => {
    expect(holders(budget({ per: 'agent' }), { ...spender, agent: null })).toEqual([]);
  });

  test('they keep the order in which they are written', () => {
    const written = [budget({ per: 'everything' }), budget({ per: 'run', each: 'ever' })];
    expect(heldBudgets(written, { spender, teams, now: NOW }).map((one) => one.budget.name)).toEqual([
      'everything-day',
      'run-ever',
    ]);
  });
});

describe('windows', () => {
  const text = (each: Budget['each'], at: number) =>
    Object.values(windowOf(each, at)).map((bound) => bound?.toISOString().slice(0, 16) ?? null);

  test('a day begins at midnight UTC', () => {
    expect(text('day', NOW)).toEqual(['2026-11-27T00:00', '2026-11-28T00:00']);
    expect(text('day', Date.UTC(2026, 10, 28))).toEqual(['2026-11-28T00:00', '2026-11-29T00:00']);
    expect(text('day', Date.UTC(2026, 10, 28) - 1)).toEqual(['2026-11-27T00:00', '2026-11-28T00:00']);
  });

  test('a week begins on Monday, also when it is looked at on a Sunday', () => {
    expect(text('week', NOW)).toEqual(['2026-11-23T00:00', '2026-11-30T00:00']);
    expect(text('week', Date.UTC(2026, 10, 29, 23, 59))).toEqual(['2026-11-23T00:00', '2026-11-30T00:00']);
    expect(text('week', Date.UTC(2026, 10, 30))).toEqual(['2026-11-30T00:00', '2026-12-07T00:00']);
  });

  test('a month has as many days as it has, and December is followed by January', () => {
    expect(text('month', Date.UTC(2028, 1, 29))).toEqual(['2028-02-01T00:00', '2028-03-01T00:00']);
    expect(text('month', Date.UTC(2026, 11, 31, 23))).toEqual(['2026-12-01T00:00', '2027-01-01T00:00']);
  });

  test('what is for ever has no beginning and no end', () => {
    expect(text('ever', NOW)).toEqual([null, null]);
  });
});

describe('what is left', () => {
  test('is the amount with what persons have added, less what was used and what is under way', () => {
    const one = state({ used: { tokens: 7, cost: 12, unpriced: 0 }, granted: { tokens: 0, cost: 20 } });
    expect(leftOf(one)).toEqual({ cost: 28, tokens: undefined });
    expect(leftOf(one, { tokens: 1, cost: 3 })).toEqual({ cost: 25, tokens: undefined });
  });

  test('is never less than nothing', () => {
    expect(leftOf(state({ used: { tokens: 0, cost: 33, unpriced: 0 } })).cost).toBe(0);
  });

  test('the first budget of which nothing is left is the spent one', () => {
    const free = state({ used: { tokens: 0, cost: 19.99, unpriced: 0 } });
    const spent = state({ budget: budget({ tokens: 100 }), used: { tokens: 100, cost: 1, unpriced: 0 } });
    expect(spentBudget([free, spent])).toBe(spent);
    expect(spentBudget([free])).toBeUndefined();
    expect(spentBudget([free], { tokens: 0, cost: 0.01 })).toBe(free);
  });

  test('calls of unknown price use nothing of a bound on money', () => {
    expect(spentBudget([state({ used: { tokens: 9e9, cost: 0, unpriced: 50 } })])).toBeUndefined();
  });
});

describe('why a run waits', () => {
  test('says who has used how much of what, and when it begins again', () => {
    const spent = state({ used: { tokens: 0, cost: 20.129, unpriced: 0 } });
    expect(budgetReason(spent)).toEqual({
      code: 'limit/budget',
      message:
        'ada has used all of 20 USD and 0.13 USD more today, which is the budget person-day. It begins again on 2026-11-28 00:00 UTC.',
    });
  });

  test('counts what is under way, and names only the amounts that are spent', () => {
    const spent = state({
      budget: budget({ per: 'label', each: 'ever', tokens: 1_500_000 }),
      whose: 'bug',
      ...windowOf('ever', NOW),
      used: { tokens: 1_400_000, cost: 3, unpriced: 0 },
    });
    expect(budgetReason(spent, { tokens: 100_133, cost: 1 }).message).toContain(
      'all of 1.5M tokens and 133 more, which',
    );
    expect(budgetReason(spent, { tokens: 100_000, cost: 1 }).message).toBe(
      'Tasks with the label bug have used 1.5M of 1.5M tokens, which is the budget label-ever.',
    );
  });

  test('says how many calls a bound on money does not see', () => {
    const spent = state({ used: { tokens: 0, cost: 20, unpriced: 3 } });
    expect(budgetReason({ ...spent, used: { ...spent.used, cost: 20.001 } }).message).toContain('all of 20 USD (and 3');
    expect(budgetReason(spent).message).toContain('20 USD of 20 USD (and 3 calls of unknown price) today');
  });
});
