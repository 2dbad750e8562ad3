import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { NO_USAGE } from '../domain/run.ts';
import { waitUntil } from '../lib/wait-until.ts';
import { countTimed } from '../store/runs.ts';
import { notePause, pauseOf } from '../store/upstream-pauses.ts';
import { decide } from './decide.ts';
import { type EngineFixture, engineFixture } from './fixture/engine-fixture.ts';
import { type Behaviour, outcome } from './fixture/script.ts';
import { resumeDue } from './resume-due.ts';

let fixture: EngineFixture;

beforeAll(async () => {
  fixture = await engineFixture();
  await fixture.worker();
});

beforeEach(() => fixture.script.clear());

afterAll(() => fixture[Symbol.asyncDispose]());

const PIPE = `
start: implement
nodes:
  implement: { agent: default, max: 1, next: ask, on: { unchanged: park } }
  ask: { approval: requester, on: { approved: done, changes: implement, abandoned: abandoned } }
`;

const quotaUntil =
  (until: number | undefined): Behaviour =>
  async () => ({
    kind: 'limit',
    limit: 'quota',
    used: 1,
    max: 1,
    text: 'The quota is used up.',
    ...(until === undefined ? {} : { until }),
  });

test('a run that waits for a moment goes on by itself when it has come, and not before', async () => {
  const soon = Date.now() + 60_000;
  fixture.script.on('implement', quotaUntil(soon), outcome('done'));
  const id = await fixture.start(PIPE);
  await fixture.reaches(id, 'parked');
  expect((await fixture.run(id)).state).toMatchObject({
    reason: { code: 'limit/quota' },
    needs: { kind: 'limit', until: new Date(soon).toISOString(), choices: ['retry', 'abandoned'] },
  });
  const { engine } = fixture;
  expect(await countTimed(engine.database)).toBe(1);
  expect(await resumeDue(engine)).toBe(0);
  expect(await resumeDue({ ...engine, limits: engine.limits, budgets: engine.budgets, clock: at(soon - 1) })).toBe(0);
  expect(await resumeDue({ ...engine, limits: engine.limits, budgets: engine.budgets, clock: at(soon) })).toBe(1);
  await fixture.reaches(id, 'parked');
  expect((await fixture.run(id)).state).toMatchObject({ needs: { kind: 'approval' } });
  expect(await countTimed(engine.database)).toBe(0);
  const resumed = (await fixture.events(id)).find(({ kind }) => kind === 'run.resumed');
  expect(resumed?.actor).toEqual({ kind: 'system', name: 'switchyard' });
});

test('a person need not wait for the moment, and it does nothing more then', async () => {
  const upstream = { host: 'api.example.com', credential: 'THE_KEY' };
  await notePause(fixture.engine.database, upstream, { kind: 'quota', until: Date.now() + 60_000 });
  await notePause(
    fixture.engine.database,
    { ...upstream, credential: null },
    { kind: 'rate-limit', until: Date.now() + 60_000 },
  );
  fixture.script.on('implement', quotaUntil(Date.now() + 60_000), outcome('done'));
  const id = await fixture.start(PIPE);
  await fixture.reaches(id, 'parked');
  await decide(fixture.engine, id, { choice: 'retry', actor: { kind: 'person', name: 'ada' } });
  const now = new Date();
  expect(await pauseOf(fixture.engine.database, upstream, now)).toBeUndefined();
  expect(await pauseOf(fixture.engine.database, { ...upstream, credential: null }, now)).toMatchObject({
    kind: 'rate-limit',
  });
  await fixture.reaches(id, 'parked');
  const { engine } = fixture;
  expect(await resumeDue({ ...engine, limits: engine.limits, budgets: engine.budgets, clock: later(120_000) })).toBe(0);
  expect((await fixture.steps(id)).map(({ outcome: ended }) => ended)).toEqual(['limit', 'done', null]);
});

test('a run that goes on by itself has no more of what it has used up: a person alone gives that', async () => {
  const soon = Date.now() + 60_000;
  const seen: unknown[] = [];
  const observed =
    (behaviour: Behaviour): Behaviour =>
    async (context) => {
      const { turns, tokens } = context.limits;
      seen.push({ turns, tokens });
      return behaviour(context);
    };
  fixture.script.on(
    'implement',
    observed(async (context) => {
      await context.agents.count({ turns: 60, usage: { ...NO_USAGE, input: 1_050 } });
      return quotaUntil(soon)(context);
    }),
    observed(async () => ({ kind: 'limit', limit: 'turns', used: 60, max: 60, text: 'All turns are used.' })),
    observed(outcome('done')),
  );
  const id = await fixture.start(PIPE, { settings: { limits: { tokens: 1_000 } } });
  await fixture.reaches(id, 'parked');
  const { engine } = fixture;
  const after = { ...engine, limits: engine.limits, budgets: engine.budgets, clock: at(soon) };
  expect(await resumeDue(after)).toBe(1);
  await waitUntil(
    async () => (await fixture.steps(id)).length === 2 && (await fixture.run(id)).state.kind === 'parked',
    { timeoutMs: 5_000 },
  );
  expect(await fixture.run(id)).toMatchObject({ granted: {}, state: { reason: { code: 'limit/turns' } } });
  expect(await resumeDue({ ...after, clock: later(1e9) })).toBe(0);
  await decide(engine, id, { choice: 'retry', actor: { kind: 'person', name: 'ada' } });
  await waitUntil(async () => seen.length === 3, { timeoutMs: 5_000 });
  const usedUp = { turns: { used: 60, max: 60 }, tokens: { used: 1_050, max: 1_000 } };
  expect(seen.slice(1)).toEqual([
    usedUp,
    { turns: { ...usedUp.turns, max: 120 }, tokens: { ...usedUp.tokens, max: 2_000 } },
  ]);
});

test('a run that waits for a person alone does not go on by itself', async () => {
  fixture.script.on('implement', quotaUntil(undefined));
  const id = await fixture.start(PIPE);
  await fixture.reaches(id, 'parked');
  const { engine } = fixture;
  expect(await resumeDue({ ...engine, limits: engine.limits, budgets: engine.budgets, clock: later(1e9) })).toBe(0);
});

function at(moment: number) {
  return { now: () => moment, sleep: () => Promise.resolve() };
}

function later(ms: number) {
  return { now: () => Date.now() + ms, sleep: () => Promise.resolve() };
}
