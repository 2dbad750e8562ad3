import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { someCall, someOrigin } from './call-fixture.ts';
import type { Database } from './database.ts';
import { insertBareRun, insertBareStep, type StoreFixture, storeFixture } from './fixture.ts';
import { originByHand, originOfAttempt, recordModelCall } from './model-calls.ts';

let fixture: StoreFixture;
let database: Database;
const at = new Date('2026-11-27T12:00:05Z');

beforeAll(async () => {
  fixture = await storeFixture();
  ({ database } = fixture);
});
beforeEach(async () => {
  await database.query('truncate model_call, model_day');
});
afterAll(() => fixture[Symbol.asyncDispose]());

const sums = () =>
  database.query(
    `select per, name, day::text as day, calls::int as calls, tokens::int as tokens, cost, unpriced::int as unpriced
     from model_day order by per, name, day`,
  );
const sumOf = async (per: string) => (await sums()).filter((row) => row['per'] === per);

test('a call is stored with all that is known of it', async () => {
  expect(await recordModelCall(database, someCall('c1'), { origin: someOrigin(), at })).toBe(true);
  const [row] = await database.query('select * from model_call');
  expect(row).toEqual({
    id: 'c1',
    at,
    run: 'r1',
    task: 't1',
    step: 's1',
    attempt: 1,
    node: 'implement',
    n: 1,
    agent: 'codex',
    requester: 'ada',
    repository: 'repo',
    labels: ['bug'],
    api: 'responses',
    host: 'api.example.com:443',
    model: 'some-model',
    credential: 'SOME_KEY',
    status: 200,
    outcome: 'answered',
    input: '1000',
    cached: '600',
    cache_write: '50',
    output: '100',
    reasoning: '30',
    estimated: false,
    cost: 0.25,
    started_at: new Date('2026-11-27T12:00:00Z'),
    first_byte_ms: 120,
    duration_ms: 2400,
  });
});

test('and counted for each thing that a budget may be for', async () => {
  await recordModelCall(database, someCall('c1'), { origin: someOrigin({ labels: ['bug', 'totals', 'bug'] }), at });
  const counted = { day: '2026-11-27', calls: 1, tokens: 1100, cost: 0.25, unpriced: 0 };
  expect(await sums()).toEqual(
    [
      ['agent', 'codex'],
      ['everything', ''],
      ['label', 'bug'],
      ['label', 'totals'],
      ['person', 'ada'],
      ['repository', 'repo'],
      ['run', 'r1'],
      ['task', 't1'],
    ].map(([per, name]) => ({ per, name, ...counted })),
  );
});

test('recording the same call twice is once, also when both are at it together', async () => {
  const record = () => recordModelCall(database, someCall('c1'), { origin: someOrigin(), at });
  const stored = await Promise.all([record(), record(), record()]);
  expect(stored.filter(Boolean)).toHaveLength(1);
  expect(await record()).toBe(false);
  expect(await sumOf('everything')).toMatchObject([{ calls: 1, tokens: 1100 }]);
});

test('many at once lose nothing of each other', async () => {
  const labels = ['a', 'b', 'c'];
  await Promise.all(
    Array.from({ length: 60 }, (_, index) =>
      recordModelCall(database, someCall(`c${index}`), {
        origin: someOrigin({ labels: index % 2 === 0 ? labels : [...labels].reverse(), run: `r${index % 7}` }),
        at,
      }),
    ),
  );
  expect(await sumOf('everything')).toMatchObject([{ calls: 60, tokens: 66_000, cost: 15 }]);
  expect(await sumOf('label')).toMatchObject([{ calls: 60 }, { calls: 60 }, { calls: 60 }]);
});

test('a call counts for the day, in UTC, on which it ended', async () => {
  for (const [id, end] of [
    ['c1', '2026-11-27T23:59:59.999Z'],
    ['c2', '2026-11-28T00:00:00Z'],
  ] as const)
    await recordModelCall(database, someCall(id), { origin: someOrigin(), at: new Date(end) });
  expect((await sumOf('person')).map((row) => row['day'])).toEqual(['2026-11-27', '2026-11-28']);
});

test('a call whose price nobody knows is counted as such, and not as one that costs nothing', async () => {
  await recordModelCall(database, someCall('c1', { cost: null }), { origin: someOrigin(), at });
  await recordModelCall(database, someCall('c2', { cost: 0 }), { origin: someOrigin(), at });
  await recordModelCall(database, someCall('c3', { cost: null, tokens: null, outcome: 'cut' }), {
    origin: someOrigin(),
    at,
  });
  expect(await sumOf('everything')).toMatchObject([{ calls: 3, tokens: 2200, cost: 0, unpriced: 2 }]);
});

test('a call that failed before anything was counted has cost nothing', async () => {
  const failed = someCall('c1', { status: 529, outcome: 'failed', tokens: null, cost: null });
  await recordModelCall(database, failed, { origin: someOrigin(), at });
  expect(await sumOf('everything')).toMatchObject([{ calls: 1, tokens: 0, cost: 0, unpriced: 0 }]);
});

test('what an upstream says may be anything', async () => {
  const tokens = { input: 10.6, cached: -3, cacheWrite: Number.NaN, output: 1e300, reasoning: 0 };
  await recordModelCall(database, someCall('c1', { model: 'nul\0 and \ud800', tokens }), { origin: someOrigin(), at });
  expect(await database.query('select model, input, cached, cache_write from model_call')).toEqual([
    { model: 'nul\ufffd and \ufffd', input: '11', cached: '0', cache_write: '0' },
  ]);
});

test('where the calls of an attempt come from is looked up by its step', async () => {
  await insertBareRun(database, 'run-a');
  await database.query(`update task set labels = '{bug,totals}' where id = 'task-run-a'`);
  await insertBareStep(database, { id: 'step-a', run: 'run-a', node: 'fix', n: 2 });
  expect(await originOfAttempt(database, { step: 'step-a', attempt: 3, agent: 'codex' })).toEqual({
    run: 'run-a',
    task: 'task-run-a',
    person: 'ada',
    labels: ['bug', 'totals'],
    repository: 'repo',
    agent: 'codex',
    step: 'step-a',
    attempt: 3,
    node: 'fix',
    n: 2,
  });
  expect(await originByHand(database, { run: 'run-a', agent: 'claude' })).toMatchObject({
    run: 'run-a',
    person: 'ada',
    agent: 'claude',
    step: null,
    n: null,
  });
});

test('of a step or a run that is not there nothing is known', async () => {
  expect(await originOfAttempt(database, { step: 'none', attempt: 1, agent: 'codex' })).toBeUndefined();
  expect(await originByHand(database, { run: 'none', agent: null })).toBeUndefined();
});
