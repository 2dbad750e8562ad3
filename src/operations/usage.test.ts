import { afterAll, beforeAll, expect, test } from 'vitest';
import { UsageReport } from '../api/schemas/usage.ts';
import { MachineConfig } from '../config/machine.ts';
import { NO_USAGE } from '../domain/run.ts';
import { systemClock } from '../lib/clock.ts';
import { SwitchyardError } from '../lib/error.ts';
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
const ask = async (
  request: Parameters<typeof usage>[1],
  machine = async () => MachineConfig.parse({ teams }),
  budgets = { teams: {}, budgets: [] },
) =>
  UsageReport.parse(
    await usage(
      { engine: { database, budgets, clock: { ...systemClock, now: () => at.getTime() } }, machine },
      request,
    ),
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

test('while the configuration is broken the teams are those that were read last, which is said', async () => {
  const broken = async () => {
    throw new SwitchyardError({ code: 'config/invalid', message: 'config.yaml:1 no', hint: 'Mend it.' });
  };
  const report = await ask({ by: 'team' }, broken, { teams, budgets: [] });
  expect(report.rows).toMatchObject([{ key: 'core', calls: 4 }]);
  expect(report.notes).toEqual([expect.stringMatching(/config\.yaml is broken.*Mend it\.$/)]);
  expect((await ask({ by: 'team' })).notes).toEqual([]);
  const unreadable = async () => {
    throw new Error('no');
  };
  await expect(ask({}, unreadable)).rejects.toThrow('no');
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

const BUDGETS = [
  { per: 'person', each: 'day', cost: '1 USD' },
  { per: 'team', each: 'month', tokens: 3000 },
  { per: 'everything', each: 'ever', cost: '0.60 USD' },
  { per: 'run', each: 'ever', tokens: 5000 },
  { per: 'agent', each: 'ever', cost: '9 USD' },
];
const withBudgets = async () => MachineConfig.parse({ teams, budgets: BUDGETS });

test('budgets are told as they stand now, for whoever has used something of them', async () => {
  const { budgets } = await ask({ since: '2026-11-28T00:00:00Z' }, withBudgets);
  const standing = budgets?.map(({ name, whose, cost, tokens }) => [name, whose, cost?.left, tokens?.left]);
  expect(standing).toEqual([
    ['person-day', 'ada', 0.5, undefined],
    ['person-day', 'eve', 0.75, undefined],
    ['team-month', 'core', undefined, 0],
    ['everything-ever', null, 0, undefined],
    ['agent-ever', 'codex', 8.25, undefined],
  ]);
  expect(budgets?.[0]).toMatchObject({ cost: { max: 1, used: 0.5 }, unpriced: 1, until: '2026-11-28T00:00:00.000Z' });
  expect(budgets?.[3]).toMatchObject({ per: 'everything', each: 'ever', tokens: null, until: null });
  expect((await ask({})).budgets).toEqual([]);
});

test('of one run those are told that it is held to', async () => {
  const { budgets } = await ask({ run: 'run1' }, withBudgets);
  expect(budgets?.map(({ name, whose }) => [name, whose])).toContainEqual(['run-ever', 'run1']);
  expect(budgets?.find(({ name }) => name === 'run-ever')?.tokens).toEqual({ max: 5000, used: 3300, left: 1700 });
  expect(budgets?.map(({ whose }) => whose)).not.toContain('eve');
});
