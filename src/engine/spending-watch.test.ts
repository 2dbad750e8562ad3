import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Budget } from '../domain/budget.ts';
import { waitUntil } from '../lib/wait-until.ts';
import { someCall, someOrigin } from '../store/call-fixture.ts';
import type { Database } from '../store/database.ts';
import { type StoreFixture, storeFixture } from '../store/fixture.ts';
import { type CallOrigin, recordModelCall } from '../store/model-calls.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { type FleetBudgets, Spending } from './spending.ts';
import { SpendingWatch } from './spending-watch.ts';

let fixture: StoreFixture;
let database: Database;
let spending: Spending;
let budgets: FleetBudgets;
let clock: ManualClock;

beforeAll(async () => {
  fixture = await storeFixture();
  ({ database } = fixture);
});
beforeEach(async () => {
  await database.query('truncate model_call, model_day, budget_grant');
  spending = new Spending();
  budgets = { budgets: [daily(1_000)], teams: {} };
  clock = new ManualClock();
});
afterAll(() => fixture[Symbol.asyncDispose]());

const daily = (tokens: number, more: Partial<Budget> = {}): Budget => ({
  name: 'day',
  per: 'everything',
  each: 'day',
  tokens,
  ...more,
});

/** Over a database that does something before it asks, or before it tells. */
function watch(around: { before?: () => Promise<void>; after?: () => Promise<void> } = {}, origin = someOrigin()) {
  const own: Database = {
    ...database,
    async query<Row extends object>(text: string, values?: readonly unknown[]) {
      await around.before?.();
      const rows = await database.query<Row>(text, values);
      await around.after?.();
      return rows;
    },
  };
  const engine = {
    database: own,
    clock,
    spending,
    get budgets() {
      return budgets;
    },
  };
  return new SpendingWatch(engine, origin);
}

const uses = (id: string, tokens: number, origin: Partial<CallOrigin> = {}) =>
  spending.note(id, someOrigin(origin), { tokens, cost: 0 });

async function stores(id: string, tokens: number, origin: Partial<CallOrigin> = {}): Promise<void> {
  spending.end(id, someOrigin(origin), { tokens, cost: 0 });
  await stored(id, tokens, origin);
}

async function stored(id: string, tokens: number, origin: Partial<CallOrigin> = {}): Promise<void> {
  const call = someCall(id, { tokens: { input: tokens, cached: 0, cacheWrite: 0, output: 0, reasoning: 0 }, cost: 0 });
  await recordModelCall(database, call, { origin: someOrigin(origin), at: new Date(clock.now()) });
}

/** How many tokens more are needed until nothing is left, as far as this one knows. */
function leftFor(one: SpendingWatch): number {
  const before = one.spent();
  if (before !== undefined) return 0;
  for (let more = 1; ; more += 1) {
    uses('probe', more);
    if (one.spent() === undefined) continue;
    uses('probe', 0);
    return more;
  }
}

test('what is under way counts, and goes on counting when it has ended', async () => {
  using one = watch();
  uses('a', 300);
  await one.read();
  expect(leftFor(one)).toBe(700);
  uses('a', 400);
  expect(leftFor(one)).toBe(600);
  await stores('a', 350);
  spending.settle('a');
  expect(leftFor(one)).toBe(650);
  await one.read();
  expect(leftFor(one)).toBe(650);
  expect(one.states).toMatchObject([{ used: { tokens: 350 } }]);
});

test('a call that was stored before it is known to be counts once', async () => {
  using one = watch();
  uses('a', 300);
  uses('b', 100);
  await stores('a', 300);
  await one.read();
  expect(one.states).toMatchObject([{ used: { tokens: 300 } }]);
  expect(leftFor(one)).toBe(600);
  spending.settle('a');
  expect(leftFor(one)).toBe(600);
});

test('a call that is stored between the reading of the sums and their coming counts once', async () => {
  using one = watch({
    after: async () => {
      await stores('a', 300);
      spending.settle('a');
    },
  });
  uses('a', 200);
  await one.read();
  expect(one.states).toMatchObject([{ used: { tokens: 0 } }]);
  expect(leftFor(one)).toBe(700);
});

test('where a call begins and ends while the sums are waited for, they are read again', async () => {
  let times = 0;
  using one = watch({
    before: async () => {
      times += 1;
      if (times > 1) return;
      uses('a', 300);
      await stores('a', 300);
      spending.settle('a');
    },
  });
  await one.read();
  expect(times).toBe(2);
  expect(leftFor(one)).toBe(700);
});

test('a call that could not be stored counts for whoever knew of it, and for nobody after that', async () => {
  using one = watch();
  await one.read();
  uses('a', 300);
  spending.end('a', someOrigin(), { tokens: 300, cost: 0 });
  spending.settle('a');
  expect(leftFor(one)).toBe(700);
  await one.read();
  expect(leftFor(one)).toBe(1_000);
});

test('a budget counts its own alone: of a team, its persons', async () => {
  budgets = { budgets: [daily(1_000, { per: 'team' })], teams: { core: ['ada', 'bob'] } };
  using one = watch();
  await one.read();
  uses('a', 100, { person: 'ada' });
  uses('b', 200, { person: 'bob' });
  uses('e', 500, { person: 'eve' });
  spending.settle('b');
  spending.settle('e');
  expect(leftFor(one)).toBe(700);
});

test('a task that has a label twice counts once', async () => {
  budgets = { budgets: [daily(1_000, { per: 'label' })], teams: {} };
  using one = watch();
  uses('a', 300, { labels: ['bug', 'bug'] });
  await one.read();
  spending.settle('a');
  expect(one.spent()).toBeUndefined();
  uses('b', 399, { labels: ['bug'] });
  uses('c', 300, { labels: ['other'] });
  expect(one.spent()).toBeUndefined();
  uses('b', 1_000, { labels: ['bug'] });
  expect(one.spent()).toContain('Tasks with the label bug');
});

test('what other processes have stored is heard of while an answer comes, after ten seconds and not before', async () => {
  using one = watch();
  await one.read();
  await stored('theirs', 1_000);
  await clock.advance(9_999);
  one.keepFresh();
  await database.query('select 1');
  expect(one.spent()).toBeUndefined();
  await clock.advance(1);
  one.keepFresh();
  await waitUntil(async () => one.spent() !== undefined, { timeoutMs: 5_000 });
  expect(one.spent()).toContain('1k of 1k tokens');
});

test('what the owner of the machine changes is heard of, too', async () => {
  using one = watch();
  uses('a', 500);
  await one.read();
  expect(one.spent()).toBeUndefined();
  budgets = { budgets: [daily(500)], teams: {} };
  await clock.advance(10_000);
  one.keepFresh();
  await waitUntil(async () => one.spent() !== undefined, { timeoutMs: 5_000 });
});

test('where the database does not answer, what was known holds', async () => {
  let isAway = false;
  using one = watch({ before: () => (isAway ? Promise.reject(new Error('away')) : Promise.resolve()) });
  await one.read();
  isAway = true;
  uses('a', 400);
  await expect(one.read()).rejects.toThrow('away');
  expect(leftFor(one)).toBe(600);
  await clock.advance(10_000);
  one.keepFresh();
  expect(leftFor(one)).toBe(600);
});

test('one that was disposed neither asks nor stops anybody', async () => {
  let asked = 0;
  const one = watch({ before: async () => void (asked += 1) });
  await one.read();
  one[Symbol.dispose]();
  uses('a', 5_000);
  await clock.advance(60_000);
  one.keepFresh();
  expect(one.spent()).toBeUndefined();
  expect(asked).toBe(1);
});
