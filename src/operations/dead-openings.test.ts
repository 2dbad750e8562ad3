import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Opening } from '../domain/opening.ts';
import { cancelRun } from '../engine/cancel.ts';
import { type EngineFixture, engineFixture } from '../engine/fixture/engine-fixture.ts';
import { gate } from '../engine/fixture/script.ts';
import type { TestWorker } from '../engine/fixture/worker.ts';
import { askForRun } from '../engine/hold.ts';
import { resolveHome } from '../lib/home.ts';
import { OneAtATime } from '../lib/one-at-a-time.ts';
import { type ProcessIdentity, processStart } from '../lib/processes.ts';
import { waitUntil } from '../lib/wait-until.ts';
import { addOpeningNamespace, setOpeningProgram } from '../store/openings.ts';
import { handBackDead } from './dead-openings.ts';
import { handBackRun } from './hand-back.ts';
import { openRun } from './open-run.ts';
import type { OperationContext } from './operations.ts';

const NO_IMAGE = { kind: 'missing', why: 'there is no engine' } as const;

const APPROVAL =
  'start: ask\nnodes:\n  ask: { approval: reviewer, on: { approved: done, changes: failed, abandoned: abandoned } }';
const WORK = 'start: work\nnodes:\n  work: { command: "true", next: done, on: { fail: failed } }';
const actor = { kind: 'person', name: 'ada' } as const;
let fixture: EngineFixture;
let worker: TestWorker;
let context: OperationContext;
let home: string;
let gone: ProcessIdentity;

beforeAll(async () => {
  fixture = await engineFixture();
  worker = await fixture.worker();
  home = await mkdtemp(join(tmpdir(), 'dead-openings-'));
  context = {
    engine: fixture.engine,
    host: worker.host,
    machine: () => Promise.reject(new Error('not asked for')),
    blueprints: '',
    defaultSandbox: async () => 'none',
    images: { find: async () => NO_IMAGE, build: async () => NO_IMAGE },
    secrets: { list: async () => [], read: async () => [], put: async () => false, remove: async () => false },
    home: resolveHome({ SWITCHYARD_HOME: home }),
    heldByOpenings: new Map(),
    hands: new OneAtATime(),
  };
  const child = spawn('sleep', ['86400']);
  await once(child, 'spawn');
  const pid = child.pid ?? 0;
  gone = { pid, start: processStart(pid) };
  child.kill('SIGKILL');
  await once(child, 'exit');
});

afterAll(async () => {
  await fixture[Symbol.asyncDispose]();
  await rm(home, { recursive: true, force: true });
});

/** A run at an approval that a command line has open. */
async function opened(client: ProcessIdentity): Promise<{ run: string; opening: string }> {
  const run = await fixture.start(APPROVAL);
  await fixture.reaches(run, 'parked');
  const opening = `o-${run}`;
  const { pid, start } = client;
  const who = { pid, ...(start === undefined ? {} : { start }) };
  await askForRun(
    fixture.engine,
    run,
    { id: opening, by: 'ada', tool: 'shell', worker: worker.name, client: who },
    undefined,
  );
  expect(await stateOf(run)).toEqual({ code: 'open', phase: 'open' });
  return { run, opening };
}

async function stateOf(run: string): Promise<{ code: string; phase: Opening['phase'] | null }> {
  const { state, opening } = await fixture.run(run);
  return { code: state.kind === 'parked' ? state.reason.code : state.kind, phase: opening?.phase ?? null };
}

test('a run whose opener died before anything was started goes on as it was; one that lives, or has worked, keeps it', async () => {
  const { run: unused } = await opened(gone);
  const used = await opened(gone);
  expect(await setOpeningProgram(fixture.engine.database, used, { pid: gone.pid, start: gone.start })).toBe(true);
  const { run: alive } = await opened({ pid: process.pid, start: processStart(process.pid) });
  const { run: busy } = await opened(gone);
  const free = Promise.withResolvers<void>();
  const busyWith = context.hands.run(busy, () => free.promise);
  await handBackDead(context);
  expect(await stateOf(unused)).toEqual({ code: 'approval/wanted', phase: null });
  for (const run of [used.run, alive, busy]) expect(await stateOf(run)).toEqual({ code: 'open', phase: 'open' });
  free.resolve();
  await busyWith;
  await handBackDead(context);
  expect(await stateOf(busy)).toEqual({ code: 'approval/wanted', phase: null });
});

test('while a command line lives whose program has not begun, nobody takes the run back from it, whatever walls setup had', async () => {
  const { run, opening } = await opened({ pid: process.pid, start: processStart(process.pid) });
  const { database } = fixture.engine;
  await addOpeningNamespace(database, { run, opening }, 'the walls of setup');
  const request = { stay: false, actor: 'ada' };
  await expect(handBackRun(context, run, request)).rejects.toMatchObject({ code: 'run/open' });
  expect(await stateOf(run)).toEqual({ code: 'open', phase: 'open' });
  const program = { pid: process.pid, namespace: 'the walls of its shell' };
  expect(await setOpeningProgram(database, { run, opening: 'another' }, program)).toBe(false);
  expect(await setOpeningProgram(database, { run, opening }, program)).toBe(true);
  expect((await fixture.run(run)).opening?.namespaces).toEqual(['the walls of setup', 'the walls of its shell']);
});

test('whoever dies while the workspace is made ready does not get it: the run goes on as it was', async () => {
  const run = await fixture.start(APPROVAL);
  await fixture.reaches(run, 'parked');
  const client = spawn('sleep', ['86400']);
  await once(client, 'spawn');
  const { workspaces } = fixture;
  const slow: typeof workspaces = {
    ...workspaces,
    async open(request) {
      client.kill('SIGKILL');
      await once(client, 'exit');
      return workspaces.open(request);
    },
  };
  const slowly = { ...context, host: { ...worker.host, workspaces: slow } };
  const request = { tool: 'editor', command: [], terminal: {}, pid: client.pid ?? 0, actor: 'ada' } as const;
  await expect(openRun(slowly, run, { ...request, command: [] })).rejects.toMatchObject({ code: 'open/gone' });
  expect(await stateOf(run)).toEqual({ code: 'approval/wanted', phase: null });
});

test('a run that was asked for by somebody who is gone is asked for no more', async () => {
  const closed = gate({ kind: 'outcome', outcome: 'pass' });
  fixture.script.on('work', closed.behaviour);
  const run = await fixture.start(WORK);
  await waitUntil(() => closed.arrived === 1, { timeoutMs: 20_000 });
  const { pid, start } = gone;
  const asking = {
    id: 'o1',
    by: 'ada',
    tool: 'shell',
    worker: worker.name,
    client: { pid, ...(start && { start }) },
  } as const;
  await askForRun(fixture.engine, run, asking, undefined);
  expect((await fixture.run(run)).opening?.phase).toBe('asked');
  await handBackDead(context);
  expect((await fixture.run(run)).opening).toBeNull();
  closed.open();
  await fixture.reaches(run, 'succeeded');
});

test('whoever is refused while he asks for a run asks for it no more', async () => {
  const closed = gate({ kind: 'outcome', outcome: 'pass' });
  fixture.script.on('work', closed.behaviour);
  const run = await fixture.start(WORK);
  await waitUntil(() => closed.arrived === 1, { timeoutMs: 20_000 });
  const request = { tool: 'shell', command: [], terminal: {}, pid: process.pid, actor: 'ada' } as const;
  const opening = openRun(context, run, { ...request, command: [] });
  const refusal = opening.catch((error: unknown) => error);
  await waitUntil(async () => (await fixture.run(run)).opening?.phase === 'asked', { timeoutMs: 20_000 });
  await cancelRun(fixture.engine, run, actor);
  expect(await refusal).toMatchObject({ code: 'run/cancelling' });
  expect((await fixture.run(run)).opening).toBeNull();
  closed.open();
  await fixture.reaches(run, 'cancelled');
});
