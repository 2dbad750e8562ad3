import { expect, test } from 'vitest';
import { waitUntil } from '../lib/wait-until.ts';
import { messagesOf } from '../store/messages.ts';
import { cancelRun } from './cancel.ts';
import { decide } from './decide.ts';
import { commitId } from './fixture/commits.ts';
import { type EngineFixture, engineFixture } from './fixture/engine-fixture.ts';
import { gate, hang, outcome } from './fixture/script.ts';
import { handBackRun } from './hand-back.ts';
import { type Asking, askForRun, withdraw } from './hold.ts';

const STRAIGHT = `name: straight
summary: Straight.
start: implement
nodes:
  implement: { agent: default, next: check, on: { unchanged: park } }
  check: { command: "true", next: done, on: { fail: failed } }
`;
const actor = { kind: 'person', name: 'ada' } as const;
const asking: Asking = { id: 'o1', by: 'ada', tool: 'shell', worker: 'w1', client: { pid: process.pid } };

const ask = (fixture: EngineFixture, id: string, who: Asking = asking) => askForRun(fixture.engine, id, who, undefined);

/** Asks until the run is open. */
const held = (fixture: EngineFixture, id: string) =>
  waitUntil(async () => (await ask(fixture, id)).opening?.phase === 'open', { timeoutMs: 20_000, everyMs: 50 });

const back = (fixture: EngineFixture, id: string, more: object = {}) =>
  handBackRun(fixture.engine, id, {
    opening: 'o1',
    head: commitId('by hand'),
    said: ['ada has changed it.'],
    toAgent: 'Look at it.',
    stay: false,
    actor,
    ...more,
  });

test('a run that nobody works on yet is open at once, and is let in only when it is handed back', async () => {
  await using fixture = await engineFixture();
  const id = await fixture.start(STRAIGHT);
  expect((await ask(fixture, id)).state).toMatchObject({ kind: 'parked', reason: { code: 'open' } });
  await using _ = await fixture.worker();
  const other = await fixture.start(STRAIGHT);
  await fixture.reaches(other, 'succeeded');
  expect(fixture.script.calls.filter(({ run }) => run === id)).toEqual([]);
  expect((await back(fixture, id)).state.kind).toBe('queued');
  await fixture.reaches(id, 'succeeded');
  expect((await fixture.steps(id)).map(({ node, n }) => `${node}#${n}`)).toEqual(['implement#1', 'check#1']);
});

test('a step at work is given up, stays the same step, and goes on in its next attempt from the new head', async () => {
  await using fixture = await engineFixture();
  fixture.script.on('implement', hang);
  await using _ = await fixture.worker();
  const id = await fixture.start(STRAIGHT);
  await waitUntil(() => fixture.script.calls.length === 1, { timeoutMs: 20_000 });
  await held(fixture, id);
  const { head: before } = await fixture.run(id);
  let head = '';
  fixture.script.on('implement', async ({ run, step }) => {
    head = `${run.head} ${step.stoodOn ?? ''}`;
    return { kind: 'outcome', outcome: 'done' };
  });
  await back(fixture, id);
  await fixture.reaches(id, 'succeeded');
  expect(fixture.script.calls.map(({ node, attempt }) => `${node} ${attempt}`)).toEqual([
    'implement 1',
    'implement 2',
    'check 1',
  ]);
  expect(head).toBe(`${commitId('by hand')} ${before}`);
  const [message] = await messagesOf(fixture.engine.database, id);
  expect(message).toMatchObject({ text: 'Look at it.', actor });
  const events = (await fixture.events(id)).map((event) => event.kind);
  expect(events.filter((kind) => kind.startsWith('run.'))).toEqual([
    'run.started',
    'run.parked',
    'run.resumed',
    'run.ended',
  ]);
});

test('a step that ends while it is asked for is followed by none, until the run is handed back', async () => {
  await using fixture = await engineFixture();
  const closed = gate();
  fixture.script.on('implement', closed.behaviour);
  fixture.script.on('check', hang);
  await using _ = await fixture.worker();
  const id = await fixture.start(STRAIGHT);
  await waitUntil(() => closed.arrived === 1, { timeoutMs: 20_000 });
  await ask(fixture, id);
  closed.open();
  await held(fixture, id);
  const calls = fixture.script.calls.length;
  fixture.script.on('implement', outcome('done'));
  fixture.script.on('check', outcome('pass'));
  await back(fixture, id);
  await fixture.reaches(id, 'succeeded');
  expect(fixture.script.calls.length).toBeGreaterThan(calls);
});

test('whoever asked and is gone does not keep the run: it goes on after a shutdown', async () => {
  await using fixture = await engineFixture();
  fixture.script.on('implement', hang);
  const worker = await fixture.worker();
  const id = await fixture.start(STRAIGHT);
  await waitUntil(() => fixture.script.calls.length === 1, { timeoutMs: 20_000 });
  const opening = {
    ...asking,
    phase: 'asked',
    askedAt: Date.now() - 60_000,
    namespaces: [],
    before: { kind: 'running' },
  };
  await fixture.engine.database.query('update run set opening = $2 where id = $1', [id, JSON.stringify(opening)]);
  await worker[Symbol.asyncDispose]();
  expect(await fixture.run(id)).toMatchObject({ state: { kind: 'running' }, opening: null });
  fixture.script.on('implement', outcome('done'));
  await using _ = await fixture.worker();
  await fixture.reaches(id, 'succeeded');
});

test('a step that ends forgets whoever asked and is gone, and not whoever still asks', async () => {
  await using fixture = await engineFixture();
  const closed = gate();
  fixture.script.on('implement', closed.behaviour);
  await using _ = await fixture.worker();
  const ids = [await fixture.start(STRAIGHT), await fixture.start(STRAIGHT)];
  await waitUntil(() => closed.arrived === 2, { timeoutMs: 20_000 });
  for (const [index, id] of ids.entries()) {
    const askedAt = Date.now() - 60_000 * (1 - index);
    const opening = { ...asking, phase: 'asked', askedAt, used: false, namespaces: [], before: { kind: 'running' } };
    await fixture.engine.database.query('update run set opening = $2 where id = $1', [id, JSON.stringify(opening)]);
  }
  closed.open();
  await Promise.all(ids.map((id) => fixture.reaches(id, 'succeeded')));
  const [gone, still] = await Promise.all(ids.map((id) => fixture.run(id)));
  expect(gone?.opening).toBeNull();
  expect(still?.opening).toMatchObject({ id: 'o1', phase: 'asked' });
});

test('who asks no more leaves the run as it is', async () => {
  await using fixture = await engineFixture();
  fixture.script.on('implement', hang);
  await using _ = await fixture.worker();
  const id = await fixture.start(STRAIGHT);
  await waitUntil(() => fixture.script.calls.length === 1, { timeoutMs: 20_000 });
  await fixture.engine.database.query(
    `update run set opening = jsonb_build_object('id', 'o1', 'phase', 'asked', 'askedAt', 0) where id = $1`,
    [id],
  );
  await withdraw(fixture.engine, id, 'another');
  expect((await fixture.run(id)).opening).not.toBeNull();
  await withdraw(fixture.engine, id, 'o1');
  expect(await fixture.run(id)).toMatchObject({ opening: null, state: { kind: 'running' } });
});

test('open, it is nobody else’s: not to open, not to decide on, not to cancel; handed back twice is once', async () => {
  await using fixture = await engineFixture();
  const id = await fixture.start(STRAIGHT);
  await ask(fixture, id);
  const refused = { code: 'run/open' };
  await expect(ask(fixture, id, { ...asking, id: 'o2' })).rejects.toMatchObject(refused);
  await expect(decide(fixture.engine, id, { choice: 'retry', actor })).rejects.toMatchObject(refused);
  await expect(cancelRun(fixture.engine, id, actor)).rejects.toMatchObject(refused);
  const { state } = await back(fixture, id, { stay: true });
  expect(state).toMatchObject({ kind: 'parked', reason: { code: 'open/waits' } });
  expect(await back(fixture, id, { head: commitId('again') })).toMatchObject({ head: commitId('by hand') });
  await using _ = await fixture.worker();
  await decide(fixture.engine, id, { choice: 'retry', actor });
  await fixture.reaches(id, 'succeeded');
});

test('a step that its worker has given back is held without one', async () => {
  await using fixture = await engineFixture();
  fixture.script.on('implement', hang);
  const worker = await fixture.worker();
  const id = await fixture.start(STRAIGHT);
  await waitUntil(() => fixture.script.calls.length === 1, { timeoutMs: 20_000 });
  await worker[Symbol.asyncDispose]();
  expect((await ask(fixture, id)).opening).toMatchObject({ phase: 'open', before: { kind: 'running' } });
  fixture.script.on('implement', outcome('done'));
  await using _ = await fixture.worker();
  await back(fixture, id);
  await fixture.reaches(id, 'succeeded');
});
