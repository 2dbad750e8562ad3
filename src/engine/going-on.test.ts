import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { waitUntil } from '../lib/wait-until.ts';
import { queueOf } from '../store/queue.ts';
import { announceWorker } from '../store/workers.ts';
import { claim } from './claim.ts';
import { BASE } from './fixture/commits.ts';
import { type EngineFixture, engineFixture } from './fixture/engine-fixture.ts';
import { gate, outcome } from './fixture/script.ts';
import type { TestWorker, WorkerOptions } from './fixture/worker.ts';
import { askForRun } from './hold.ts';
import { settle } from './settle.ts';

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

const start = async (name: string, options: WorkerOptions = {}) => {
  const worker = await fixture.worker(name, options);
  workers.push(worker);
  return worker;
};

const TWO = `
start: work
nodes:
  work: { agent: codex, next: check, on: { unchanged: failed } }
  check: { command: x, next: done, on: { fail: failed } }
`;

/** What there is of a run's second step. */
const second = async (id: string) => {
  const step = (await fixture.steps(id))[1];
  const jobs = await fixture.engine.database.query<{ state: string }>('select state from pgboss.job where id = $1', [
    step?.job,
  ]);
  return { state: step?.state, worker: step?.worker, lease: step?.lease, job: jobs[0]?.state };
};

/** The first step's claim of a worker that is there but does nothing by itself, with what it makes of it. */
const firstClaim = async (id: string) => {
  const { engine } = fixture;
  const at = new Date();
  await engine.queue.open('idle');
  await announceWorker(engine.database, {
    id: 'idle',
    machine: 'here',
    pid: process.pid,
    version: 'test',
    started_at: at,
    heartbeat_at: at,
  });
  const [step] = await fixture.steps(id);
  const [job] = await engine.queue.fetch(step?.queue ?? '', 1);
  const claimed = job && (await claim(engine, 'idle', job));
  if (claimed === undefined) throw new Error('nothing was claimed');
  const result = { kind: 'outcome', outcome: 'done' } as const;
  return { claimed, settlement: { result, head: BASE, opened: false, worker: 'idle', mayBegin: () => true } };
};

test('a run’s next step is the same worker’s from the very end of the one before', async () => {
  const found: Awaited<ReturnType<typeof second>>[] = [];
  let id = '';
  await start('a', {
    crashPoint: async (name) => {
      if (name === 'transition.after' && found.length === 0) found.push(await second(id));
    },
  });
  const held = gate();
  fixture.script.on('work', held.behaviour);
  id = await fixture.start(TWO);
  await waitUntil(() => held.arrived === 1, { timeoutMs: 5_000 });
  held.open();
  await fixture.reaches(id, 'succeeded');
  expect(found).toEqual([{ state: 'running', worker: 'a', lease: 1, job: 'active' }]);
  const kinds = (await fixture.events(id)).map(({ kind }) => kind);
  expect(kinds).toEqual([
    'run.started',
    'step.started',
    'attempt.started',
    'attempt.ended',
    'step.ended',
    'step.started',
    'attempt.started',
    'attempt.ended',
    'step.ended',
    'run.ended',
  ]);
  expect(await fixture.engine.database.query('select 1 from pgboss.job')).toEqual([]);
});

test('a step is left in the queue by a worker that begins nothing any more', async () => {
  const id = await fixture.start(TWO);
  const { claimed, settlement } = await firstClaim(id);
  const settled = await settle(fixture.engine, claimed, { ...settlement, mayBegin: () => false });
  expect(settled).toEqual({ next: undefined });
  expect(await second(id)).toEqual({ state: 'admitted', worker: null, lease: 0, job: 'created' });
  const [job] = await fixture.engine.queue.fetch(queueOf('idle'), 1);
  expect(job?.step).toBe((await fixture.steps(id))[1]?.id);
});

test('a step is left in the queue where somebody asks for the run', async () => {
  const id = await fixture.start(TWO);
  const { claimed, settlement } = await firstClaim(id);
  const asking: Parameters<typeof askForRun>[2] = {
    id: 'opening',
    by: 'ada',
    tool: 'shell',
    worker: 'idle',
    client: { pid: process.pid },
  } as const;
  await askForRun(fixture.engine, id, asking, undefined);
  expect(await settle(fixture.engine, claimed, settlement)).toEqual({ next: undefined });
  expect(await second(id)).toMatchObject({ state: 'admitted', worker: null, lease: 0 });
});

test('the first step of another run is let in, and claimed by nobody', async () => {
  fixture.limits = { ...fixture.limits, agents: 1 };
  const id = await fixture.start(TWO);
  const { claimed, settlement } = await firstClaim(id);
  const other = await fixture.start(TWO);
  expect((await fixture.steps(other))[0]).toMatchObject({ state: 'waiting' });
  const settled = await settle(fixture.engine, claimed, settlement);
  expect(settled?.next?.step).toMatchObject({ run: id, node: 'check' });
  expect((await fixture.steps(other))[0]).toMatchObject({ state: 'admitted', lease: 0 });
  fixture.limits = { ...fixture.limits, agents: 100 };
});

test('a claim whose commit went unheard is the same claim when the step ends again', async () => {
  const id = await fixture.start(TWO);
  const { claimed, settlement } = await firstClaim(id);
  const { engine } = fixture;
  const unheard = {
    ...engine,
    database: {
      ...engine.database,
      async transaction<T>(work: Parameters<typeof engine.database.transaction<T>>[0]) {
        await engine.database.transaction(work);
        return engine.database.transaction(work);
      },
    },
  };
  const settled = await settle(unheard, claimed, settlement);
  const step = (await fixture.steps(id))[1];
  expect(settled?.next).toMatchObject({ attempt: 1, earlier: [], job: { id: step?.job, retryCount: 0 } });
  expect(await second(id)).toEqual({ state: 'running', worker: 'idle', lease: 1, job: 'active' });
  expect((await fixture.events(id)).filter(({ kind }) => kind === 'attempt.started')).toHaveLength(2);
  // Whoever ends it once more, later, has no claim on what somebody works on already.
  expect(await settle(engine, claimed, settlement)).toEqual({ next: undefined });
});

test('a worker that is told to stop while a step ends leaves the next one to others', async () => {
  const a = await start('a');
  const held = gate();
  fixture.script.on('work', async (context) => {
    const result = await held.behaviour(context);
    void a[Symbol.asyncDispose]();
    return result;
  });
  fixture.script.on('check', outcome('pass'));
  const id = await fixture.start(TWO);
  await waitUntil(() => held.arrived === 1, { timeoutMs: 5_000 });
  held.open();
  await waitUntil(async () => (await second(id)).state !== undefined, { timeoutMs: 5_000 });
  await a[Symbol.asyncDispose]();
  expect(['created', 'retry', undefined]).toContain((await second(id)).job);
  await start('b');
  await fixture.silence(a);
  await fixture.reaches(id, 'succeeded');
});
