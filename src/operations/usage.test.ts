import { afterAll, beforeAll, expect, test } from 'vitest';
import { UsageReport } from '../api/schemas/usage.ts';
import { MachineConfig } from '../config/machine.ts';
import { NO_USAGE } from '../domain/run.ts';
import { someCall, someOrigin } from '../store/call-fixture.ts';
import type { Database } from '../store/database.ts';
import { insertBareRun, insertBareStep, type StoreFixture, storeFixture } from '../store/fixture.ts';
import { recordModelCall } from '../store/model-calls.ts';
import { addConsumed } from '../store/runs.ts';
import { usage } from './usage.ts';

let fixture: StoreFixture;
let database: Database;
const at = new Date('2026-11-27T12:00:00Z');

beforeAll(async () => {
  fixture = await storeFixture();
  ({ database } = fixture);
  await insertBareRun(database, 'run1', 'round-the-totals');
  await insertBareStep(database, { id: 's1', run: 'run1' });
  await insertBareStep(database, { id: 's2', run: 'run1', n: 2 });
  await insertBareRun(database, 'other', 'other');
  const record = (id: string, changes = {}, origin = {}) =>
    recordModelCall(database, someCall(id, changes), { origin: someOrigin({ run: 'run1', ...origin }), at });
  await record('c1');
  await record('c2');
  await record('c3', { cost: null }, { n: 2, step: 's2' });
  await record('c4', {}, { run: 'other', person: 'eve' });
  const reported = { input: 2900, cached: 1200, output: 300, reasoning: 0, cost: 0.4 };
  await addConsumed(database, 'run1', { turns: 1, usage: NO_USAGE, reported });
});
afterAll(() => fixture[Symbol.asyncDispose]());

const teams = { core: ['ada', 'eve'] };
const ask = async (request: Parameters<typeof usage>[1]) =>
  UsageReport.parse(
    await usage({ engine: { database }, machine: async () => MachineConfig.parse({ teams }) }, request),
  );

test('one run is shown by step', async () => {
  const report = await ask({ run: 'round-the-totals' });
  expect(report).toMatchObject({ by: 'step', run: { id: 'run1', slug: 'round-the-totals' }, since: null, until: null });
  expect(report.rows).toMatchObject([
    { key: 'implement #1', run: 'run1', calls: 2, cost: 0.5, reported: null },
    { key: 'implement #2', calls: 1, cost: null, unpriced: 1, reported: null },
  ]);
});

test('its sum stands beside what its agents say; money of which a part is not known is not compared', async () => {
  const { total } = await ask({ run: 'run1' });
  expect(total).toMatchObject({
    calls: 3,
    cost: 0.5,
    unpriced: 1,
    reported: { input: 2900, output: 300, cost: 0.4 },
    difference: { tokens: 100, cost: null },
  });
});

test('all runs are shown by run; one whose agents say nothing has nothing to compare with', async () => {
  const report = await ask({});
  expect(report).toMatchObject({ by: 'run', run: null, total: { calls: 4, reported: null } });
  expect(report.rows.map(({ key, name, reported }) => [key, name, reported?.input])).toEqual([
    ['run1', 'round-the-totals', 2900],
    ['other', 'other', undefined],
  ]);
});

test('teams are those of the machine’s configuration', async () => {
  expect((await ask({ by: 'team' })).rows).toMatchObject([{ key: 'core', calls: 4, reported: null }]);
});

test('a period without calls is empty, and no failure', async () => {
  const report = await ask({ since: '2026-11-28T00:00:00Z', by: 'person' });
  expect(report).toMatchObject({ since: '2026-11-28T00:00:00Z', rows: [], total: { calls: 0, cost: null } });
});

test('a period that ends before it begins, and a run that is not there, are refused', async () => {
  await expect(ask({ since: '2026-11-28T00:00:00Z', until: '2026-11-27T00:00:00Z' })).rejects.toMatchObject({
    code: 'request/invalid',
  });
  await expect(ask({ run: 'none' })).rejects.toMatchObject({ code: 'run/not-found' });
});
