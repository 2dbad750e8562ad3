import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { noCrashPoint } from '../lib/crash-point.ts';
import { type PostgresServer, startPostgres } from '../lib/postgres-supervisor/supervisor.ts';
import { waitUntil } from '../lib/wait-until.ts';
import { decide } from './decide.ts';
import { type EngineFixture, engineFixture } from './fixture/engine-fixture.ts';
import { gate, outcome } from './fixture/script.ts';
import type { TestWorker } from './fixture/worker.ts';

let folder: string;
let server: PostgresServer;
let fixture: EngineFixture;
let worker: TestWorker;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchyard-outage-'));
  server = await startPostgres({
    dataFolder: join(folder, 'pg'),
    crashPoint: noCrashPoint,
    log: () => undefined,
    signal: new AbortController().signal,
  });
  fixture = await engineFixture({}, server.url);
  worker = await fixture.worker();
});

beforeEach(() => fixture.script.clear());

afterAll(async () => {
  await fixture[Symbol.asyncDispose]();
  await server.stop();
  await rm(folder, { recursive: true, force: true, maxRetries: 20 });
});

const ada = { kind: 'person', name: 'ada' } as const;

/** Kills the server as the kernel would; the supervisor starts it again. */
async function killServer(): Promise<void> {
  const { pid } = server;
  process.kill(pid, 'SIGKILL');
  await waitUntil(() => server.pid !== pid, { timeoutMs: 20_000, what: 'the server to be started again' });
}

const NODES = 8;
const LONG = [
  'start: n1',
  'nodes:',
  ...Array.from(
    { length: NODES },
    (_, index) =>
      `  n${index + 1}: { command: x, next: ${index + 1 === NODES ? 'done' : `n${index + 2}`}, on: { fail: failed } }`,
  ),
].join('\n');

async function endedOnce(id: string): Promise<void> {
  const events = await fixture.events(id);
  expect(events.map((event) => event.seq)).toEqual(events.map((_, index) => index + 1));
  for (const step of await fixture.steps(id)) {
    expect(step.state).toBe('ended');
    const own = events.filter(
      (event) => 'node' in event && event.node === step.node && 'n' in event && event.n === step.n,
    );
    expect(own.filter((event) => event.kind === 'step.ended')).toHaveLength(1);
    expect(own.filter((event) => event.kind === 'step.started')).toHaveLength(1);
    const begun = own.filter((event) => event.kind === 'attempt.started');
    expect(own.filter((event) => event.kind === 'attempt.ended')).toHaveLength(begun.length);
  }
}

test('runs survive a database that is killed while they go through their steps', async () => {
  const ids: string[] = [];
  for (let n = 0; n < 6; n++) ids.push(await fixture.start(LONG));
  await waitUntil(() => fixture.script.calls.length > 6, { timeoutMs: 10_000 });
  await killServer();
  await waitUntil(() => fixture.script.calls.length > 15, { timeoutMs: 30_000 });
  await killServer();
  for (const id of ids) {
    await waitUntil(async () => (await fixture.run(id)).state.kind === 'succeeded', { timeoutMs: 30_000 });
    await endedOnce(id);
    expect((await fixture.steps(id)).map((step) => step.node)).toEqual(
      Array.from({ length: NODES }, (_, index) => `n${index + 1}`),
    );
  }
  expect(worker.log).toEqual([]);
});

test('a step that is at work when the database dies goes on, and its words and its result are stored afterwards', async () => {
  const place = gate();
  fixture.script.on('work', async (context) => {
    await context.emit({ kind: 'message', level: 'info', text: 'before' });
    await context.emit({ kind: 'agent.text', node: 'work', n: 1, text: 'word' });
    await place.behaviour(context);
    await context.emit({ kind: 'message', level: 'info', text: 'after' });
    return outcome('done', { outputs: { summary: 'kept' } })(context);
  });
  const id = await fixture.start(
    'start: work\nnodes:\n  work: { agent: codex, next: ask, on: { unchanged: failed } }\n  ask: { approval: reviewer, on: { approved: done, changes: failed, abandoned: abandoned } }',
  );
  await waitUntil(() => place.arrived === 1, { timeoutMs: 10_000 });
  const { pid } = server;
  process.kill(pid, 'SIGKILL');
  place.open();
  await waitUntil(() => server.pid !== pid, { timeoutMs: 20_000 });
  await fixture.reaches(id, 'parked');
  await endedOnceSoFar(id);
  const process2 = server.pid;
  process.kill(process2, 'SIGKILL');
  expect(await decide(fixture.engine, id, { actor: ada })).toMatchObject({ kind: 'succeeded' });
  const events = await fixture.events(id);
  expect(events.filter((event) => event.kind === 'run.resumed')).toHaveLength(1);
  expect(events.flatMap((event) => ('text' in event ? [event.text] : []))).toEqual(['before', 'word', 'after']);
  expect(fixture.script.calls.filter((call) => call.run === id)).toHaveLength(1);
  await waitUntil(() => server.pid !== process2, { timeoutMs: 20_000 });
  expect(worker.log).toEqual([]);
});

async function endedOnceSoFar(id: string): Promise<void> {
  const [work] = await fixture.steps(id);
  expect(work).toMatchObject({ state: 'ended', outcome: 'done', lease: 1, outputs: { summary: 'kept' } });
}
