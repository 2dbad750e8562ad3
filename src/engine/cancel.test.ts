import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { waitUntil } from '../lib/wait-until.ts';
import { StepAborted } from '../ports/node.ts';
import { cancelRun } from './cancel.ts';
import { decide } from './decide.ts';
import { BASE, commitId } from './fixture/commits.ts';
import { type EngineFixture, engineFixture } from './fixture/engine-fixture.ts';
import { type Behaviour, gate, hang, outcome } from './fixture/script.ts';

let fixture: EngineFixture;

beforeAll(async () => {
  fixture = await engineFixture();
});

beforeEach(() => fixture.script.clear());

afterAll(() => fixture[Symbol.asyncDispose]());

const ada = { kind: 'person', name: 'ada' } as const;
const cancel = (id: string) => cancelRun(fixture.engine, id, ada);
const WORK = 'start: work\nnodes:\n  work: { agent: codex, next: done, on: { unchanged: failed } }';
const ENDED = { kind: 'cancelled' };

async function reached(node: string, run: string): Promise<void> {
  const { calls } = fixture.script;
  await waitUntil(() => calls.some((call) => call.node === node && call.run === run), { timeoutMs: 10_000 });
}

test('a run that is being worked on is stopped by its worker, and what was done is kept', async () => {
  await using _worker = await fixture.worker();
  let reason: unknown;
  const collects: Behaviour = async (context) => {
    const workspace = await context.workspace();
    try {
      return await hang(context);
    } catch (error) {
      reason = error;
      await workspace.collect(context.commitText());
      throw error;
    }
  };
  fixture.script.on('work', collects);
  const id = await fixture.start(WORK);
  await reached('work', id);
  expect(await cancel(id)).toEqual({ kind: 'stopping' });
  expect(await fixture.reaches(id, 'cancelled')).toEqual(ENDED);
  expect(reason).toBeInstanceOf(StepAborted);
  expect(reason).toMatchObject({ why: 'cancel' });
  const [step] = await fixture.steps(id);
  expect(step).toMatchObject({ state: 'ended', outcome: 'cancelled', lease: 1 });
  expect(await fixture.run(id)).toMatchObject({ head: commitId(`${id} ${step?.id} 1 1`), cancelling: false });
  expect((await fixture.events(id)).slice(-3)).toMatchObject([
    { kind: 'attempt.ended', result: 'cancelled' },
    { kind: 'step.ended', outcome: 'cancelled' },
    { kind: 'run.ended', state: ENDED },
  ]);
  expect(await fixture.engine.database.query('select 1 from pgboss.job')).toEqual([]);
  expect(await cancel(id)).toEqual({ kind: 'over', state: ENDED });
});

test('a step that ends at that very moment ends the run all the same, and what it has merged stays merged', async () => {
  await using _worker = await fixture.worker();
  const place = gate();
  const merged = { target: 'main', commit: commitId('m'), tree: commitId('t') };
  fixture.script.on('work', place.behaviour);
  const id = await fixture.start(WORK);
  await reached('work', id);
  await cancel(id);
  place.open({ kind: 'outcome', outcome: 'done', outputs: { delivered: merged.commit }, merged });
  await fixture.reaches(id, 'cancelled');
  expect(await fixture.run(id)).toMatchObject({ merged, delivered: merged.commit });
  expect((await fixture.events(id)).map((event) => event.kind)).toContain('run.merged');
});

test('a run that waits for a place, or for a worker, is cancelled at once', async () => {
  fixture.limits = { ...fixture.limits, agents: 1 };
  const admitted = await fixture.start(WORK);
  const waiting = await fixture.start(WORK);
  const states = async () =>
    [await fixture.steps(admitted), await fixture.steps(waiting)].flat().map((step) => step.state);
  expect(await states()).toEqual(['admitted', 'waiting']);
  expect(await cancel(waiting)).toEqual({ kind: 'cancelled' });
  expect(await cancel(admitted)).toEqual({ kind: 'cancelled' });
  for (const id of [admitted, waiting]) {
    expect((await fixture.run(id)).state).toEqual(ENDED);
    expect((await fixture.steps(id)).map((step) => step.outcome)).toEqual(['cancelled']);
  }
  // Nobody ever hears of it.
  await using _worker = await fixture.worker();
  const next = await fixture.start(WORK);
  await fixture.reaches(next, 'succeeded');
  expect(fixture.script.calls.some((call) => call.run === admitted || call.run === waiting)).toBe(false);
});

test('cancelling frees the place for the next', async () => {
  fixture.limits = { ...fixture.limits, agents: 1 };
  const first = await fixture.start(WORK);
  const second = await fixture.start(WORK);
  await cancel(first);
  expect((await fixture.steps(second)).map((step) => step.state)).toEqual(['admitted']);
  await cancel(second);
  fixture.limits = { ...fixture.limits, agents: 100 };
});

test('a parked run is cancelled, with the approval that it waits at', async () => {
  const id = await fixture.start(
    'start: review\nnodes:\n  review: { approval: reviewer, on: { approved: done, changes: failed, abandoned: abandoned } }',
  );
  await fixture.reaches(id, 'parked');
  expect(await cancel(id)).toEqual({ kind: 'cancelled' });
  expect((await fixture.steps(id)).map((step) => [step.state, step.outcome])).toEqual([['ended', 'cancelled']]);
  await expect(decide(fixture.engine, id, { actor: ada })).rejects.toMatchObject({ code: 'run/not-parked' });
  expect((await fixture.run(id)).head).toBe(BASE);
});

test('a run whose worker has died is cancelled by the one that takes over, without being worked on again', async () => {
  await using a = await fixture.worker('a');
  fixture.script.on('work', hang);
  const id = await fixture.start(WORK);
  await reached('work', id);
  a.freeze();
  expect(await cancel(id)).toEqual({ kind: 'stopping' });
  await fixture.silence(a);
  await using b = await fixture.worker('b');
  await fixture.reaches(id, 'cancelled');
  expect(fixture.script.calls.filter((call) => call.run === id)).toHaveLength(1);
  expect((await fixture.events(id)).filter((event) => event.kind === 'attempt.ended')).toMatchObject([
    { attempt: 1, result: 'taken-over' },
    { attempt: 2, result: 'cancelled' },
  ]);
  expect([...a.log, ...b.log]).toEqual([]);
});

test('of several who cancel at once, and a step that ends, one has its way and the run ends once', async () => {
  await using _worker = await fixture.worker();
  for (let round = 0; round < 10; round++) {
    fixture.script.on('work', outcome('done'));
    const id = await fixture.start(WORK);
    await Promise.all([cancel(id), cancel(id), cancel(id)]);
    await fixture.reaches(id, 'cancelled', 'succeeded');
    const kinds = (await fixture.events(id)).map((event) => event.kind);
    expect(kinds.filter((kind) => kind === 'run.ended')).toHaveLength(1);
    expect(kinds.filter((kind) => kind === 'step.ended')).toHaveLength(1);
  }
});
