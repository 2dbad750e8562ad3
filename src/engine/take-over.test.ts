import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { waitUntil } from '../lib/wait-until.ts';
import { StepAborted } from '../ports/node.ts';
import { queueOf, SHARED_QUEUE } from '../store/queue.ts';
import { leftCheckpoint } from '../store/steps.ts';
import { salvageRef } from '../workspaces/git-store.ts';
import { claim } from './claim.ts';
import { BASE, commitId } from './fixture/commits.ts';
import { type EngineFixture, engineFixture } from './fixture/engine-fixture.ts';
import { gate, hang, outcome } from './fixture/script.ts';
import type { TestWorker } from './fixture/worker.ts';
import { lookAfterOthers, recoverOwn } from './recovery.ts';

let fixture: EngineFixture;
const workers: TestWorker[] = [];

beforeAll(async () => {
  fixture = await engineFixture();
});

beforeEach(() => fixture.script.clear());

afterEach(async () => {
  for (const worker of workers.splice(0)) await worker[Symbol.asyncDispose]();
  // What a test has left open is nothing to the next one.
  await fixture.engine.database.query(`update step set state = 'ended', job = null where state <> 'ended'`);
  await fixture.engine.database.query('update attempt set ended_at = now() where ended_at is null');
  await fixture.engine.database.query('delete from pgboss.job');
});

afterAll(() => fixture[Symbol.asyncDispose]());

const start = async (name: string) => {
  const worker = await fixture.worker(name);
  workers.push(worker);
  return worker;
};
const WORK = 'start: work\nnodes:\n  work: { agent: codex, next: done, on: { unchanged: failed } }';
const TWO = `
start: work
nodes:
  work: { agent: codex, next: check, on: { unchanged: failed } }
  check: { command: x, next: done, on: { fail: failed } }
`;
const calls = (id: string) =>
  fixture.script.calls
    .filter((call) => call.run === id)
    .map(({ node, attempt, worker }) => `${node} ${attempt} ${worker}`);
const attempts = async (id: string) =>
  (await fixture.events(id)).flatMap((event) =>
    event.kind === 'attempt.started'
      ? [`${event.attempt} started`]
      : event.kind === 'attempt.ended'
        ? [`${event.attempt} ${event.result}`]
        : [],
  );

async function called(id: string, times: number): Promise<void> {
  await waitUntil(() => calls(id).length >= times, { timeoutMs: 15_000, what: `${times} attempts of ${id}` });
}

test('another worker takes over from one that has fallen silent, and the late result changes nothing but is kept', async () => {
  const a = await start('a');
  const late = gate();
  fixture.script.on('work', async (context) => {
    const { head } = await (await context.workspace()).collect(context.commitText());
    if (context.step.attempt === 1) await late.behaviour(context);
    return { kind: 'outcome', outcome: 'done', outputs: { summary: `attempt ${context.step.attempt} made ${head}` } };
  });
  const id = await fixture.start(TWO);
  await waitUntil(() => late.arrived === 1, { timeoutMs: 5_000 });
  a.freeze();
  await fixture.silence(a);
  await start('b');
  await fixture.reaches(id, 'succeeded');
  const before = { run: await fixture.run(id), steps: await fixture.steps(id), events: await fixture.events(id) };
  expect(calls(id)).toEqual(['work 1 a', 'work 2 b', 'check 1 b']);
  expect(await attempts(id)).toEqual(['1 started', '1 taken-over', '2 started', '2 ended', '1 started', '1 ended']);

  const [work] = before.steps;
  late.open();
  a.thaw();
  const salvaged = salvageRef(id, `${work?.id}-1`);
  await waitUntil(() => fixture.store.refs.has(salvaged), { timeoutMs: 10_000 });
  await waitUntil(() => a.worker.busy === 0, { timeoutMs: 5_000 });
  expect(fixture.store.refs.get(salvaged)).toBe(commitId(`${id} ${work?.id} 1 1`));
  expect({ run: await fixture.run(id), steps: await fixture.steps(id), events: await fixture.events(id) }).toEqual(
    before,
  );
  expect(work).toMatchObject({ lease: 2, worker: 'b', head: commitId(`${id} ${work?.id} 2 1`) });
});

test('a worker that finds its claim lost tells the step, and writes nothing more of it', async () => {
  const a = await start('a');
  let reason: unknown;
  fixture.script.on('work', async (context) => {
    if (context.step.attempt > 1) return outcome('done')(context);
    try {
      return await hang(context);
    } catch (error) {
      reason = error;
      await context.emit({ kind: 'message', level: 'info', text: 'from the dead' });
      throw error;
    }
  });
  const id = await fixture.start(WORK);
  await called(id, 1);
  a.freeze();
  await fixture.silence(a);
  await start('b');
  await fixture.reaches(id, 'succeeded');
  a.thaw();
  await waitUntil(() => a.worker.busy === 0, { timeoutMs: 10_000 });
  expect(reason).toBeInstanceOf(StepAborted);
  expect(reason).toMatchObject({ why: 'lost' });
  expect((await fixture.events(id)).some((event) => event.kind === 'message')).toBe(false);
  expect(a.log).toEqual([]);
});

test('a worker that slept after it had fetched a job takes nothing from the one that works on it now', async () => {
  const a = await start('a');
  const id = await fixture.start(WORK);
  await fixture.reaches(id, 'succeeded');
  await a[Symbol.asyncDispose]();
  fixture.script.on('work', hang);
  const stolen = await fixture.start(WORK);
  const { engine } = fixture;
  const [zombie] = await engine.queue.fetch(SHARED_QUEUE, 1);
  if (zombie === undefined) throw new Error('nothing was fetched');
  await engine.queue.giveBack(engine.database, zombie);
  await start('b');
  await called(stolen, 1);
  expect(await claim(engine, 'zombie', zombie)).toBeUndefined();
  expect((await fixture.steps(stolen))[0]).toMatchObject({ lease: 1, worker: 'b' });
  expect(await attempts(stolen)).toEqual(['1 started']);
});

test('a claim whose commit went unheard is the same claim when it is made again', async () => {
  const id = await fixture.start(WORK);
  const { engine } = fixture;
  const [job] = await engine.queue.fetch(SHARED_QUEUE, 1);
  if (job === undefined) throw new Error('nothing was fetched');
  let commits = 0;
  const unheard = {
    ...engine,
    clock: { ...engine.clock, now: () => 1_750_000_000_000 },
    database: {
      ...engine.database,
      async transaction<T>(work: Parameters<typeof engine.database.transaction<T>>[0]) {
        await engine.database.transaction(work);
        commits += 1;
        return engine.database.transaction(work);
      },
    },
  };
  expect(await claim(unheard, 'a', job)).toMatchObject({ attempt: 1, earlier: [] });
  expect(commits).toBe(1);
  expect(await attempts(id)).toEqual(['1 started']);
});

test('on a shutdown a step that does not end is saved and given back, and another worker goes on at once', async () => {
  const a = await start('a');
  fixture.script.on('work', async (context) => {
    await context.workspace();
    await context.agents.remember({ agent: 'codex', id: `session-${context.step.attempt}` });
    if (context.step.attempt === 1) return hang(context);
    return {
      kind: 'outcome',
      outcome: 'done',
      outputs: { summary: JSON.stringify(await context.agents.interrupted()) },
    };
  });
  const id = await fixture.start(WORK);
  await waitUntil(async () => fixture.workspaces.did.includes(`open ${id}`), { timeoutMs: 5_000 });
  await start('b');
  const before = performance.now();
  await a[Symbol.asyncDispose]();
  await fixture.reaches(id, 'succeeded');
  expect(performance.now() - before).toBeLessThan(6_000);
  expect(calls(id)).toEqual(['work 1 a', 'work 2 b']);
  expect(await attempts(id)).toEqual(['1 started', '1 interrupted', '2 started', '2 ended']);
  const [step] = await fixture.steps(id);
  expect(step?.outputs).toEqual({ summary: '{"id":"session-1","agent":"codex","standing":"own"}' });
  expect((await fixture.run(id)).consumed.wall).toBeGreaterThan(1_000);
  expect(a.log).toEqual([]);
});

test('a checkpoint is what the next attempt begins with', async () => {
  const a = await start('a');
  fixture.script.on('work', async (context) => {
    await context.workspace();
    return hang(context);
  });
  const id = await fixture.start(WORK);
  await waitUntil(async () => fixture.workspaces.did.includes(`open ${id}`), { timeoutMs: 5_000 });
  await a[Symbol.asyncDispose]();
  const [step] = await fixture.steps(id);
  expect(step).toMatchObject({ state: 'running', checkpoint: commitId(`checkpoint ${id} ${step?.id} 1`) });
});

test('on a shutdown a step that is about to end may end', async () => {
  const a = await start('a');
  const place = gate();
  fixture.script.on('work', place.behaviour);
  const id = await fixture.start(TWO);
  await waitUntil(() => place.arrived === 1, { timeoutMs: 5_000 });
  const over = a[Symbol.asyncDispose]();
  place.open();
  await over;
  expect((await fixture.steps(id)).map((step) => [step.node, step.state])).toEqual([
    ['work', 'ended'],
    ['check', 'admitted'],
  ]);
  // What it was about to be given stays with nobody: the next worker takes it, whoever that is.
  await start('b');
  await fixture.reaches(id, 'succeeded');
  expect(calls(id)).toEqual(['work 1 a', 'check 1 b']);
});

test('a worker that starts again under its name takes its jobs back at once', async () => {
  const a = await start('a');
  const late = gate();
  fixture.script.on('work', async (context) =>
    context.step.attempt === 1 ? late.behaviour(context) : outcome('done')(context),
  );
  const id = await fixture.start(WORK);
  await called(id, 1);
  a.freeze();
  const cleared: string[] = [];
  await fixture.engine.database.query(
    `update attempt set namespaces = '{pid:1,pid:2}' where worker = 'a' and ended_at is null`,
  );
  await recoverOwn(fixture.engine, { ...a.host, remains: { clear: async (name) => cleared.push(name) > 0 } });
  expect(cleared).toEqual(['pid:1', 'pid:2']);
  expect(await fixture.engine.database.query('select state::text from pgboss.job')).toEqual([{ state: 'retry' }]);
  await start('a');
  await fixture.reaches(id, 'succeeded');
  expect(calls(id)).toEqual(['work 1 a', 'work 2 a']);
  expect(await attempts(id)).toEqual(['1 started', '1 taken-over', '2 started', '2 ended']);
  late.open();
});

test('a job that a worker had fetched from its own queue and not claimed comes back with the worker', async () => {
  const { engine } = fixture;
  const a = await start('a');
  const id = await fixture.start(WORK);
  await fixture.reaches(id, 'succeeded');
  await a[Symbol.asyncDispose]();
  const next = await fixture.start(WORK);
  await engine.database.query(`update step set queue = 'attempts-a' where run = $1`, [next]);
  await engine.database.query(
    `update pgboss.job set name = 'attempts-a' where id = (select job from step where run = $1)`,
    [next],
  );
  expect(await engine.queue.fetch(queueOf('a'), 1)).toHaveLength(1);
  await start('a');
  await fixture.reaches(next, 'succeeded');
  expect(calls(next)).toEqual(['work 1 a']);
});

test('jobs that wait in the queue of a dead worker are moved to the one that all read', async () => {
  const a = await start('a');
  const place = gate();
  fixture.script.on('work', place.behaviour);
  const id = await fixture.start(TWO);
  await waitUntil(() => place.arrived === 1, { timeoutMs: 5_000 });
  // It dies between its last settling and the fetching of what that has let in.
  const { engine } = fixture;
  const over = a[Symbol.asyncDispose]();
  place.open();
  await over;
  const queues = async () => (await fixture.steps(id)).map((step) => step.queue);
  const jobs = () => engine.database.query('select name, state::text from pgboss.job');
  await lookAfterOthers(engine, { isSteady: true });
  expect((await queues())[1]).toBe(SHARED_QUEUE);
  expect(await jobs()).toEqual([{ name: SHARED_QUEUE, state: 'created' }]);
  await lookAfterOthers(engine, { isSteady: true });
  expect(await jobs()).toHaveLength(1);
  await start('b');
  await fixture.reaches(id, 'succeeded');
});

test('a job that is gone is made again, and a live worker’s waiting jobs are left where they are', async () => {
  const { engine } = fixture;
  const id = await fixture.start(WORK);
  const [before] = await fixture.steps(id);
  await engine.database.query('delete from pgboss.job where id = $1', [before?.job]);
  await Promise.all([1, 2, 3].map(() => lookAfterOthers(engine, { isSteady: true })));
  const [after] = await fixture.steps(id);
  expect(after?.job).not.toBe(before?.job);
  expect(await engine.database.query('select id from pgboss.job')).toEqual([{ id: after?.job }]);
  await engine.database.query(`insert into worker values ('live', 'm', 1, 'v', now(), now()) on conflict do nothing`);
  await engine.queue.open('live');
  const job = { id: randomUUID(), queue: queueOf('live'), step: after?.id ?? '' };
  await engine.database.transaction(async (queries) => {
    await queries.query('delete from pgboss.job');
    await queries.query('update step set job = $2, queue = $3 where id = $1', [job.step, job.id, job.queue]);
    await engine.queue.send(queries, job);
  });
  await lookAfterOthers(engine, { isSteady: true });
  expect((await fixture.steps(id))[0]).toMatchObject({ job: job.id, queue: job.queue });
});

test('a worker that was cut off itself lets the others speak before it takes their work', async () => {
  const { engine } = fixture;
  const a = await start('a');
  fixture.script.on('work', hang);
  const id = await fixture.start(WORK);
  await called(id, 1);
  a.freeze();
  await fixture.silence(a);
  const state = () => engine.database.query('select state::text from pgboss.job');
  await lookAfterOthers(engine, { isSteady: false });
  expect(await state()).toEqual([{ state: 'active' }]);
  await lookAfterOthers(engine, { isSteady: true });
  expect(await state()).toEqual([{ state: 'retry' }]);
});

test('a step whose workers die again and again is left to a person', async () => {
  const { engine } = fixture;
  const id = await fixture.start(WORK);
  for (let n = 1; n <= 8; n++) {
    const [job] = await engine.queue.fetch(SHARED_QUEUE, 1);
    if (job === undefined) throw new Error('nothing was fetched');
    expect(await claim(engine, `w${n}`, job)).toMatchObject({ attempt: n });
    await engine.queue.giveBack(engine.database, job);
  }
  await start('b');
  expect(await fixture.reaches(id, 'parked')).toMatchObject({
    reason: { code: 'limit/attempts', message: expect.stringContaining('8 attempts of work #1') as string },
    needs: { kind: 'limit', choices: ['retry', 'abandoned'], head: BASE },
  });
  expect(calls(id)).toEqual([]);
});

test('an attempt whose result cannot be stored is repeated a few times, then left to a person', async () => {
  const b = await start('b');
  // An outcome whose outputs are no JSON: storing it is what fails, each time.
  fixture.script.on('work', outcome('done', { outputs: { size: 10n } }));
  const id = await fixture.start(WORK);
  expect(await fixture.reaches(id, 'parked')).toMatchObject({ reason: { code: 'limit/attempts' } });
  expect(calls(id)).toHaveLength(3);
  expect(await attempts(id)).toEqual([
    '1 started',
    '1 failed',
    '2 started',
    '2 failed',
    '3 started',
    '3 failed',
    '4 started',
    '4 ended',
  ]);
  expect(b.log).toHaveLength(3);
  expect((await fixture.events(id)).find((event) => event.kind === 'attempt.ended')).toMatchObject({
    detail: expect.stringContaining('BigInt') as string,
  });
});

test('work that was saved at a shutdown stays known when the step ends without having opened the workspace', async () => {
  const a = await start('a');
  fixture.script.on('work', async (context) => {
    if (context.step.attempt > 1) throw new Error('nothing works any more');
    await context.workspace();
    return hang(context);
  });
  const id = await fixture.start(WORK);
  await called(id, 1);
  await a[Symbol.asyncDispose]();
  workers.splice(0);
  const saved = commitId(`checkpoint ${id} ${(await fixture.steps(id))[0]?.id} 1`);
  expect((await fixture.steps(id))[0]).toMatchObject({ checkpoint: saved });
  await start('b');
  await fixture.reaches(id, 'parked');
  expect((await fixture.steps(id))[0]).toMatchObject({ state: 'ended', outcome: 'error', checkpoint: saved });
  expect(await leftCheckpoint(fixture.engine.database, id)).toBe(saved);
});
