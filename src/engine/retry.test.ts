import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { waitUntil } from '../lib/wait-until.ts';
import { cancelRun } from './cancel.ts';
import { type EngineFixture, engineFixture } from './fixture/engine-fixture.ts';
import { hang, outcome } from './fixture/script.ts';
import { retryRun } from './retry.ts';
import { discardRun } from './trash.ts';

let fixture: EngineFixture;

beforeAll(async () => {
  fixture = await engineFixture();
  await fixture.worker();
});

beforeEach(() => fixture.script.clear());

afterAll(() => fixture[Symbol.asyncDispose]());

const ada = { kind: 'person', name: 'ada' } as const;
const retry = (id: string, from?: string) => retryRun(fixture.engine, id, { from, actor: ada });
const nodes = async (id: string) => (await fixture.steps(id)).map((step) => `${step.node}#${step.n} ${step.outcome}`);

const PIPE = `
start: implement
nodes:
  implement: { agent: default, max: 1, next: check, on: { unchanged: park } }
  check: { command: x, max: 1, next: ask, on: { fail: failed, error: park } }
  ask: { approval: requester, on: { approved: done, changes: implement, abandoned: abandoned } }
`;

test('a run that has failed goes on at the step with which it failed, past its bound', async () => {
  fixture.script.on('check', outcome('fail'), outcome('pass'));
  const id = await fixture.start(PIPE);
  await fixture.reaches(id, 'failed');
  expect(await retry(id)).toEqual({ kind: 'running' });
  await fixture.reaches(id, 'parked');
  expect(await nodes(id)).toEqual(['implement#1 done', 'check#1 fail', 'check#2 pass', 'ask#1 null']);
  expect(await fixture.run(id)).toMatchObject({ ended_at: null });
});

test('a cancelled run goes on at the step at which it was stopped', async () => {
  fixture.script.on('check', hang, outcome('pass'));
  const id = await fixture.start(PIPE);
  await waitUntil(async () => (await fixture.steps(id))[1]?.state === 'running', { timeoutMs: 5_000 });
  await cancelRun(fixture.engine, id, ada);
  await fixture.reaches(id, 'cancelled');
  await retry(id);
  await fixture.reaches(id, 'parked');
  expect(await nodes(id)).toEqual(['implement#1 done', 'check#1 cancelled', 'check#2 pass', 'ask#1 null']);
});

test('a parked run goes on as by the choice "retry"', async () => {
  fixture.script.on('check', outcome('error'), outcome('pass'));
  const id = await fixture.start(PIPE);
  await fixture.reaches(id, 'parked');
  await retry(id);
  await waitUntil(async () => (await fixture.steps(id)).length === 4, { timeoutMs: 5_000 });
  expect(await nodes(id)).toEqual(['implement#1 done', 'check#1 error', 'check#2 pass', 'ask#1 null']);
});

test('from a node that it has been in, wherever it waits now; what it waited at is passed over', async () => {
  const id = await fixture.start(PIPE);
  await fixture.reaches(id, 'parked');
  await retry(id, 'check');
  await waitUntil(async () => (await fixture.steps(id)).length === 5, { timeoutMs: 5_000 });
  expect(await nodes(id)).toEqual([
    'implement#1 done',
    'check#1 pass',
    'ask#1 passed over',
    'check#2 pass',
    'ask#2 null',
  ]);
  const resumed = (await fixture.events(id)).find(({ kind }) => kind === 'run.resumed');
  expect(resumed).toMatchObject({ choice: 'retry', node: 'check', actor: ada });
});

test('from a node that it has not been in is refused, naming those that it has', async () => {
  fixture.script.on('implement', outcome('unchanged'));
  const id = await fixture.start(PIPE);
  await fixture.reaches(id, 'parked');
  await expect(retry(id, 'check')).rejects.toMatchObject({ code: 'retry/node', hint: 'It has been in implement.' });
  expect(await nodes(id)).toEqual(['implement#1 unchanged']);
});

test('what works, has succeeded or is discarded is refused, with what to do', async () => {
  fixture.script.on('implement', hang);
  const id = await fixture.start(PIPE);
  await waitUntil(async () => (await fixture.steps(id))[0]?.state === 'running', { timeoutMs: 5_000 });
  await expect(retry(id)).rejects.toMatchObject({ code: 'run/working' });
  await cancelRun(fixture.engine, id, ada);
  await fixture.reaches(id, 'cancelled');
  await discardRun(fixture.engine, id, ada);
  await expect(retry(id)).rejects.toMatchObject({ code: 'run/discarded' });

  const good = await fixture.start('start: x\nnodes:\n  x: { command: x, next: done, on: { fail: failed } }');
  await fixture.reaches(good, 'succeeded');
  await expect(retry(good)).rejects.toMatchObject({ code: 'run/nothing-to-retry' });
});
