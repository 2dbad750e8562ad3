import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Teams } from '../domain/budget.ts';
import { NO_USAGE } from '../domain/run.ts';
import { UsageBy } from '../domain/usage.ts';
import { someCall, someOrigin } from './call-fixture.ts';
import type { Database } from './database.ts';
import { insertBareRun, insertBareStep, type StoreFixture, storeFixture } from './fixture.ts';
import { recordModelCall } from './model-calls.ts';
import { reportedUsage, type UsageFilter, usageGroups, usageTotal } from './model-usage.ts';
import { deleteRuns } from './retention.ts';
import { addConsumed } from './runs.ts';

let fixture: StoreFixture;
let database: Database;
const teams: Teams = { core: ['ada', 'bob'], web: ['ada'] };
const day = (text: string) => new Date(`2026-11-${text}:00Z`);

beforeAll(async () => {
  fixture = await storeFixture();
  ({ database } = fixture);
  await insertBareRun(database, 'r1', 'round-the-totals');
  await insertBareStep(database, { id: 's1', run: 'r1' });
  await insertBareStep(database, { id: 's2', run: 'r1', n: 2 });
  const calls = [
    [someCall('c1'), someOrigin({ labels: ['bug', 'totals'] }), day('25T10:00')],
    [someCall('c2', { cost: null, model: 'odd' }), someOrigin({ n: 2, step: 's2' }), day('26T10:00')],
    [someCall('c3', { outcome: 'failed', tokens: null, cost: null, model: null }), someOrigin(), day('26T11:00')],
    [
      someCall('c4', { outcome: 'cut', estimated: true, cost: 2 }),
      someOrigin({
        run: 'r2',
        task: 't2',
        person: 'eve',
        labels: [],
        repository: 'other',
        agent: null,
        step: null,
        node: null,
        n: null,
      }),
      day('27T10:00'),
    ],
    [someCall('c5', { outcome: 'cut', tokens: null, cost: null }), someOrigin({ person: 'bob' }), day('27T11:00')],
  ] as const;
  for (const [call, origin, at] of calls) await recordModelCall(database, call, { origin, at });
});
afterAll(() => fixture[Symbol.asyncDispose]());

async function groups(by: UsageBy, filter: UsageFilter = {}) {
  return usageGroups(database, by, { filter, teams });
}
const counts = async (by: UsageBy, filter?: UsageFilter) =>
  (await groups(by, filter)).map(({ key, calls, cost, unpriced }) => [key, calls, cost, unpriced]);

test('the total counts each call once', async () => {
  expect(await usageTotal(database, {})).toEqual({
    calls: 5,
    failed: 1,
    estimated: 1,
    uncounted: 1,
    tokens: { input: 3000, cached: 1800, cacheWrite: 150, output: 300, reasoning: 90 },
    cost: 2.25,
    unpriced: 2,
  });
});

test('of nothing the total is nothing', async () => {
  const nothing = { input: 0, cached: 0, cacheWrite: 0, output: 0, reasoning: 0 };
  expect(await usageTotal(database, { run: 'none' })).toEqual({
    calls: 0,
    failed: 0,
    estimated: 0,
    uncounted: 0,
    tokens: nothing,
    cost: null,
    unpriced: 0,
  });
  for (const by of UsageBy.options) expect(await groups(by, { run: 'none' })).toEqual([]);
});

test.each<[UsageBy, unknown[][]]>([
  [
    'run',
    [
      ['r2', 1, 2, 0],
      ['r1', 4, 0.25, 2],
    ],
  ],
  [
    'step',
    [
      ['implement #1', 3, 0.25, 1],
      ['implement #2', 1, null, 1],
      [null, 1, 2, 0],
    ],
  ],
  [
    'person',
    [
      ['eve', 1, 2, 0],
      ['ada', 3, 0.25, 1],
      ['bob', 1, null, 1],
    ],
  ],
  [
    'team',
    [
      [null, 1, 2, 0],
      ['core', 4, 0.25, 2],
      ['web', 3, 0.25, 1],
    ],
  ],
  [
    'label',
    [
      [null, 1, 2, 0],
      ['bug', 4, 0.25, 2],
      ['totals', 1, 0.25, 0],
    ],
  ],
  [
    'repository',
    [
      ['other', 1, 2, 0],
      ['repo', 4, 0.25, 2],
    ],
  ],
  [
    'agent',
    [
      [null, 1, 2, 0],
      ['codex', 4, 0.25, 2],
    ],
  ],
  [
    'model',
    [
      ['some-model', 3, 2.25, 1],
      ['odd', 1, null, 1],
      [null, 1, null, 0],
    ],
  ],
  [
    'day',
    [
      ['2026-11-25', 1, 0.25, 0],
      ['2026-11-26', 2, null, 1],
      ['2026-11-27', 2, 2, 1],
    ],
  ],
])('by %s', async (by, expected) => {
  expect((await counts(by)).sort(byCost)).toEqual([...expected].sort(byCost));
});

/** Groups that cost the same are told apart by their name. */
function byCost(a: readonly unknown[], b: readonly unknown[]): number {
  return String(a[0]).localeCompare(String(b[0]));
}

test('days and steps come in their order, all else by what it costs', async () => {
  expect((await groups('day')).map(({ key }) => key)).toEqual(['2026-11-25', '2026-11-26', '2026-11-27']);
  expect((await groups('step')).map(({ key }) => key)).toEqual(['implement #1', 'implement #2', null]);
  expect((await groups('person')).map(({ key }) => key)).toEqual(['eve', 'ada', 'bob']);
});

test('steps of the same name in two runs are two', async () => {
  await recordModelCall(database, someCall('c6'), { origin: someOrigin({ run: 'r3' }), at: day('20T10:00') });
  const steps = (await groups('step')).filter(({ key }) => key === 'implement #1');
  expect(steps.map(({ run, calls }) => [run, calls])).toEqual([
    ['r3', 1],
    ['r1', 3],
  ]);
  await database.query(`delete from model_call where id = 'c6'`);
});

test('a period begins with its first moment and ends before its last', async () => {
  const total = async (filter: UsageFilter) => (await usageTotal(database, filter)).calls;
  expect(await total({ since: day('26T10:00') })).toBe(4);
  expect(await total({ until: day('26T10:00') })).toBe(1);
  expect(await total({ since: day('26T10:00'), until: day('27T10:00'), run: 'r1' })).toBe(2);
  expect(await counts('person', { since: day('27T00:00') })).toEqual([
    ['eve', 1, 2, 0],
    ['bob', 1, null, 1],
  ]);
});

test('runs and repositories have the names that people know, as long as they are there', async () => {
  const names = async (by: UsageBy) => Object.fromEntries((await groups(by)).map(({ key, name }) => [key, name]));
  expect(await names('run')).toEqual({ r1: 'round-the-totals', r2: null });
  expect(await names('repository')).toEqual({ repo: '/repo', other: null });
});

test('what agents report is that of whole runs: where the period cuts one, there is nothing to compare', async () => {
  const reported = { input: 900, cached: 500, output: 100, reasoning: 10, cost: 0.5 };
  expect(await reportedUsage(database, ['r1', 'r2'], {})).toEqual(new Map());
  await addConsumed(database, 'r1', { turns: 1, usage: NO_USAGE, reported });
  expect(await reportedUsage(database, ['r1', 'r2'], {})).toEqual(new Map([['r1', reported]]));
  expect((await reportedUsage(database, ['r1'], { since: day('25T10:00'), until: day('28T00:00') })).size).toBe(1);
  expect((await reportedUsage(database, ['r1'], { since: day('25T10:01') })).size).toBe(0);
  expect((await reportedUsage(database, ['r1'], { until: day('27T11:00') })).size).toBe(0);
  expect((await reportedUsage(database, [], {})).size).toBe(0);
});

test('what was spent stays when its run goes; what only the run needs does not', async () => {
  const before = await usageTotal(database, {});
  await database.transaction((queries) => deleteRuns(queries, ['r1']));
  expect(await usageTotal(database, {})).toEqual(before);
  expect(await counts('label')).toContainEqual(['totals', 1, 0.25, 0]);
  expect((await reportedUsage(database, ['r1'], {})).size).toBe(0);
  const left = await database.query(
    `select distinct per from model_day where name in ('r1', 'task-r1', 'ada') order by 1`,
  );
  expect(left).toEqual([{ per: 'person' }]);
});
