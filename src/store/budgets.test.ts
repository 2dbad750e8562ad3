import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Budget, heldBudgets, leftOf, spentBudget, type Teams } from '../domain/budget.ts';
import { systemClock } from '../lib/clock.ts';
import { budgetStates, grantBudgets } from './budgets.ts';
import { someCall, someOrigin } from './call-fixture.ts';
import { type Database, openDatabase } from './database.ts';
import { type StoreFixture, storeFixture } from './fixture.ts';
import type { CallOrigin } from './model-calls.ts';
import { recordModelCall } from './model-calls.ts';

let fixture: StoreFixture;
let database: Database;
let calls = 0;
const ada = { kind: 'person', name: 'ada' } as const;
const TODAY = new Date('2026-11-27T12:00:00Z');
const teams: Teams = { core: ['ada', 'bob'] };

beforeAll(async () => {
  fixture = await storeFixture();
  ({ database } = fixture);
});
beforeEach(async () => {
  await database.query('truncate model_call, model_day, budget_grant');
});
afterAll(() => fixture[Symbol.asyncDispose]());

async function used(
  origin: Partial<CallOrigin>,
  { at = TODAY, cost = 1 }: { at?: Date; cost?: number | null } = {},
): Promise<void> {
  calls += 1;
  await recordModelCall(database, someCall(`c${calls}`, { cost }), { origin: someOrigin(origin), at });
}

function held(budget: Partial<Budget>, origin: Partial<CallOrigin> = {}, at = TODAY) {
  const { per = 'person', each = 'day' } = budget;
  const whole: Budget = { name: `${per}-${each}`, per, each, cost: 3, ...budget };
  return heldBudgets([whole], { spender: someOrigin(origin), teams, now: at.getTime() });
}

const usedOf = async (...asked: Parameters<typeof held>) =>
  (await budgetStates(database, held(...asked))).map((state) => state.used);

test('without budgets nothing is asked', async () => {
  const refusing = { query: () => Promise.reject(new Error('asked')) };
  expect(await budgetStates(refusing, [])).toEqual([]);
  expect(await grantBudgets(refusing, [], { by: ada, at: TODAY })).toEqual([]);
});

test('a budget of which nothing was used has all of it', async () => {
  const [state] = await budgetStates(database, held({ tokens: 500 }));
  expect(state).toMatchObject({ used: { tokens: 0, cost: 0, unpriced: 0 }, granted: { tokens: 0, cost: 0 } });
  expect(state && leftOf(state)).toEqual({ tokens: 500, cost: 3 });
});

test('what somebody else has used is not counted', async () => {
  await used({ person: 'ada' });
  await used({ person: 'bob' });
  expect(await usedOf({}, { person: 'ada' })).toEqual([{ tokens: 1100, cost: 1, unpriced: 0 }]);
});

test('only what lies in the window is counted', async () => {
  await used({}, { at: new Date('2026-10-31T23:59:00Z') });
  await used({}, { at: new Date('2026-11-23T00:00:00Z') });
  await used({}, { at: new Date('2026-11-26T23:59:59Z') });
  await used({}, { at: new Date('2026-11-27T00:00:00Z') });
  const cost = async (each: Budget['each']) => (await usedOf({ each }))[0]?.cost;
  expect([await cost('day'), await cost('week'), await cost('month'), await cost('ever')]).toEqual([1, 3, 3, 4]);
});

test('a budget of a team sums its persons, whoever asks', async () => {
  await used({ person: 'ada' });
  await used({ person: 'bob' });
  await used({ person: 'eve' });
  expect(await usedOf({ per: 'team' }, { person: 'bob' })).toEqual([{ tokens: 2200, cost: 2, unpriced: 0 }]);
});

test.each(['run', 'task', 'label', 'repository', 'agent', 'everything'] as const)(
  'a budget per %s sums what belongs to it',
  async (per) => {
    await used({ person: 'bob' });
    await used({ run: 'r2', task: 't2', labels: [], repository: 'other', agent: 'claude' });
    expect(await usedOf({ per })).toMatchObject([{ cost: per === 'everything' ? 2 : 1 }]);
  },
);

test('several budgets are answered together, in their order', async () => {
  await used({ person: 'bob', labels: ['bug', 'totals'] }, { cost: null });
  const budgets = (['label', 'everything', 'person'] as const).map((per) => ({
    name: per,
    per,
    each: 'day' as const,
    tokens: 10,
  }));
  const spender = someOrigin({ labels: ['bug', 'totals'] });
  const states = await budgetStates(database, heldBudgets(budgets, { spender, teams, now: TODAY.getTime() }));
  expect(states.map(({ budget, whose, used: { tokens, unpriced } }) => [budget.name, whose, tokens, unpriced])).toEqual(
    [
      ['label', 'bug', 1100, 1],
      ['label', 'totals', 1100, 1],
      ['everything', '', 1100, 1],
      ['person', 'ada', 0, 0],
    ],
  );
});

test('a person’s word gives a spent budget its original amount again, whatever was used beyond it', async () => {
  for (let n = 0; n < 5; n += 1) await used({});
  const budgets = held({ tokens: 100_000 });
  expect(spentBudget(await budgetStates(database, budgets))?.used.cost).toBe(5);
  const granted = await grantBudgets(database, budgets, { by: ada, at: TODAY });
  expect(granted).toMatchObject([{ whose: 'ada', used: { cost: 5 }, granted: { cost: 0 } }]);
  const [state] = await budgetStates(database, budgets);
  expect(state && leftOf(state)).toEqual({ cost: 3, tokens: 94_500 });
  expect(await database.query('select by, at from budget_grant')).toEqual([{ by: ada, at: TODAY }]);
});

test('a budget that has something left gets nothing', async () => {
  await used({});
  expect(await grantBudgets(database, held({}), { by: ada, at: TODAY })).toEqual([]);
  expect((await budgetStates(database, held({})))[0]?.granted).toEqual({ tokens: 0, cost: 0 });
});

test('the words of several persons at once count once', async () => {
  for (let n = 0; n < 3; n += 1) await used({});
  const budgets = held({});
  const grant = () => database.transaction((queries) => grantBudgets(queries, budgets, { by: ada, at: TODAY }));
  const all = await Promise.all([grant(), grant(), grant()]);
  expect(all.flat()).toHaveLength(1);
  expect((await budgetStates(database, budgets))[0]?.granted.cost).toBe(3);
});

test('what was added holds for one person and one window', async () => {
  const tomorrow = new Date('2026-11-28T01:00:00Z');
  for (let n = 0; n < 3; n += 1) await used({});
  for (let n = 0; n < 3; n += 1) await used({}, { at: tomorrow });
  for (let n = 0; n < 3; n += 1) await used({ person: 'bob' });
  await grantBudgets(database, held({}), { by: ada, at: TODAY });
  const isSpent = async (...asked: Parameters<typeof held>) =>
    spentBudget(await budgetStates(database, held(...asked))) !== undefined;
  expect(await isSpent({})).toBe(false);
  expect(await isSpent({}, {}, tomorrow)).toBe(true);
  expect(await isSpent({}, { person: 'bob' })).toBe(true);
});

test('a grant for ever holds for ever', async () => {
  for (let n = 0; n < 3; n += 1) await used({});
  await grantBudgets(database, held({ each: 'ever' }), { by: ada, at: TODAY });
  const later = held({ each: 'ever' }, {}, new Date('2028-01-01T00:00:00Z'));
  expect(spentBudget(await budgetStates(database, later))).toBeUndefined();
});

test('what was used and added is still known after a restart', async () => {
  for (let n = 0; n < 3; n += 1) await used({});
  await grantBudgets(database, held({}), { by: ada, at: TODAY });
  await used({});
  await using again = openDatabase(fixture.place.url, { clock: systemClock });
  expect(await budgetStates(again, held({}))).toMatchObject([{ used: { cost: 4 }, granted: { cost: 3 } }]);
});
