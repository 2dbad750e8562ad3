import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { BlueprintNode } from '../domain/blueprint.ts';
import type { Limits } from '../domain/limits.ts';
import { NO_USAGE } from '../domain/run.ts';
import type { RunSettings } from '../domain/settings.ts';
import { waitUntil } from '../lib/wait-until.ts';
import { StepAborted } from '../ports/node.ts';
import { decide } from './decide.ts';
import { type EngineFixture, engineFixture } from './fixture/engine-fixture.ts';
import { type Behaviour, hang, outcome } from './fixture/script.ts';
import { grantAgain, limitsInUse, limitsOf, stepLimits } from './limits.ts';

const HOUR = 3_600_000;
const run = (
  limits: Limits,
  { granted = {}, ...used }: { granted?: Limits; wall?: number; turns?: number; input?: number; cost?: number } = {},
) => ({
  settings: { limits } as RunSettings,
  granted,
  consumed: {
    wall: used.wall ?? 0,
    turns: used.turns ?? 0,
    usage: { ...NO_USAGE, input: used.input ?? 0, cost: used.cost ?? null },
  },
});
const node = (limits: Limits) => ({ limits }) as BlueprintNode;

describe('limits of a step', () => {
  test('are those of the run, the built-in ones where nobody says anything, less what is used', () => {
    expect(stepLimits(run({}, { turns: 7, wall: HOUR }), undefined)).toEqual({
      silenceMs: 15 * 60_000,
      wallMs: HOUR,
      stepWallMs: undefined,
      repeats: 5,
      turns: { used: 7, max: 60 },
      tokens: undefined,
      cost: undefined,
    });
    const given = run({ wall: HOUR, tokens: 100, cost: 2, turns: 5 }, { wall: 2 * HOUR, input: 30, cost: 0.5 });
    expect(stepLimits(given, undefined)).toMatchObject({
      wallMs: 0,
      turns: { used: 0, max: 5 },
      tokens: { used: 30, max: 100 },
      cost: { used: 0.5, max: 2 },
    });
  });

  test('are tightened by the node’s own, each for this step alone, and never widened', () => {
    const given = run({ turns: 20, tokens: 1000 }, { turns: 15, input: 100 });
    const limits = stepLimits(given, node({ turns: 3, tokens: 50, cost: 1, silence: 1000, wall: 5000 }));
    expect(limits).toMatchObject({
      turns: { used: 15, max: 18 },
      tokens: { used: 100, max: 150 },
      cost: { used: 0, max: 1 },
      silenceMs: 1000,
      stepWallMs: 5000,
    });
    expect(stepLimits(given, node({ turns: 50, silence: 9 * HOUR }))).toMatchObject({
      turns: { used: 15, max: 20 },
      silenceMs: 15 * 60_000,
    });
  });
});

describe('a retry', () => {
  test('grants the bound that was hit its original amount again, each time', () => {
    const once = run({ turns: 5 }, { granted: grantAgain(run({ turns: 5 }), 'limit/turns') });
    expect(limitsOf(once).turns).toBe(10);
    const twice = run({ turns: 5 }, { granted: grantAgain(once, 'limit/turns') });
    expect(limitsOf(twice)).toMatchObject({ turns: 15, wall: 2 * HOUR });
  });

  test('grants a bound that nobody had set, too', () => {
    expect(limitsOf(run({}, { granted: grantAgain(run({}), 'limit/wall') })).wall).toBe(4 * HOUR);
  });

  test('grants nothing where no amount is used up', () => {
    for (const code of [
      'limit/silence',
      'limit/max',
      'limit/steps',
      'limit/attempts',
      'limit/toString',
      'step/error',
    ]) {
      expect(grantAgain(run({ silence: 1000, steps: 3 }, { granted: { turns: 1 } }), code)).toEqual({ turns: 1 });
    }
  });
});

test('what is used of each limit in force is shown', () => {
  expect(limitsInUse(run({ cost: 5 }, { wall: 10, turns: 2, cost: 1 }), { used: 3, allowed: 40 })).toEqual({
    wall: { used: 10, max: 2 * HOUR },
    silence: { used: 0, max: 15 * 60_000 },
    turns: { used: 2, max: 60 },
    steps: { used: 3, max: 40 },
    cost: { used: 1, max: 5 },
    repeats: { used: 0, max: 5 },
  });
});

describe('a run', () => {
  let fixture: EngineFixture;

  beforeAll(async () => {
    fixture = await engineFixture();
    await fixture.worker();
  });

  beforeEach(() => fixture.script.clear());

  afterAll(() => fixture[Symbol.asyncDispose]());

  const ada = { kind: 'person', name: 'ada' } as const;
  const retry = (id: string) => decide(fixture.engine, id, { choice: 'retry', actor: ada });
  const WORK = 'start: work\nnodes:\n  work: { agent: codex, next: done, on: { unchanged: failed } }';

  test('is parked when its wall time is over, whatever its edges say, and gets as much again', async () => {
    let reason: unknown;
    const slow: Behaviour = async (context) => {
      try {
        return await hang(context);
      } catch (error) {
        reason = error;
        await (await context.workspace()).collect(context.commitText());
        throw error;
      }
    };
    fixture.script.on('work', slow, outcome('done'));
    const text =
      'start: work\nnodes:\n  work: { agent: codex, next: done, on: { unchanged: failed, error: failed, timeout: failed } }';
    const id = await fixture.start(text, { settings: { limits: { wall: 300 } } });
    const parked = await fixture.reaches(id, 'parked');
    expect(parked).toMatchObject({ reason: { code: 'limit/wall' }, needs: { kind: 'limit' } });
    expect(reason).toBeInstanceOf(StepAborted);
    expect(reason).toMatchObject({ why: 'wall' });
    const row = await fixture.run(id);
    expect(row.head).not.toBe(row.base_commit);
    const limit = (await fixture.events(id)).find((event) => event.kind === 'limit');
    expect(limit).toMatchObject({ limit: 'wall', max: 300 });
    expect(limit?.kind === 'limit' && limit.used).toBeGreaterThanOrEqual(300);
    await retry(id);
    await fixture.reaches(id, 'succeeded');
    expect((await fixture.steps(id)).map((step) => step.outcome)).toEqual(['limit', 'done']);
    expect((await fixture.run(id)).granted).toEqual({ wall: 300 });
  });

  test('does not count the time that it waits for a person', async () => {
    const text = `
start: ask
nodes:
  ask: { approval: requester, on: { approved: work, changes: failed, abandoned: abandoned } }
  work: { agent: codex, next: done, on: { unchanged: failed } }
`;
    const id = await fixture.start(text, { settings: { limits: { wall: 5_000 } } });
    await fixture.reaches(id, 'parked');
    await fixture.engine.database.query(`update run set created_at = created_at - interval '1 day' where id = $1`, [
      id,
    ]);
    await fixture.engine.database.query(
      `update step set created_at = created_at - interval '1 day', started_at = started_at - interval '1 day' where run = $1`,
      [id],
    );
    await decide(fixture.engine, id, { actor: ada });
    await fixture.reaches(id, 'succeeded');
    expect((await fixture.run(id)).consumed.wall).toBeLessThan(5_000);
  });

  test('goes on by its edges when a step has taken longer than its own limit', async () => {
    fixture.script.on('work', hang);
    const text =
      'start: work\nnodes:\n  work: { agent: codex, limits: { wall: 1s }, next: done, on: { unchanged: failed, timeout: failed } }';
    const id = await fixture.start(text);
    await fixture.reaches(id, 'failed');
    expect((await fixture.steps(id)).map((step) => step.outcome)).toEqual(['timeout']);
  });

  test('is parked by a limit that a step reports, and the next step has as much again', async () => {
    const spending: Behaviour = async (context) => {
      const { turns } = context.limits;
      await context.agents.count({ turns: turns.max - turns.used, usage: { ...NO_USAGE, output: 5 } });
      return { kind: 'limit', limit: 'turns', used: turns.max, max: turns.max, text: 'All turns are used.' };
    };
    fixture.script.on('work', spending, async (context) =>
      outcome('done', { outputs: { turns: context.limits.turns } })(context),
    );
    const id = await fixture.start(WORK, { settings: { limits: { turns: 3 } } });
    expect(await fixture.reaches(id, 'parked')).toMatchObject({
      reason: { code: 'limit/turns', message: 'All turns are used.' },
    });
    expect((await fixture.run(id)).consumed).toMatchObject({ turns: 3, usage: { output: 5 } });
    await retry(id);
    await fixture.reaches(id, 'succeeded');
    expect((await fixture.steps(id)).at(-1)?.outputs).toEqual({ turns: { used: 3, max: 6 } });
  });

  test('loses no count that comes while steps end', async () => {
    fixture.script.on('work', async (context) => {
      const counts = Array.from({ length: 20 }, () =>
        context.agents.count({ turns: 1, usage: { ...NO_USAGE, input: 2 } }),
      );
      await Promise.all(counts.slice(0, 10));
      void Promise.all(counts);
      return { kind: 'outcome', outcome: 'done' };
    });
    const id = await fixture.start(WORK);
    await fixture.reaches(id, 'succeeded');
    await waitUntil(async () => (await fixture.run(id)).consumed.turns === 20, { timeoutMs: 5_000 });
    expect((await fixture.run(id)).consumed).toMatchObject({ turns: 20, usage: { input: 40 } });
  });

  test('remembers the latest session of each node, and gives it to whoever resumes it', async () => {
    const text = `
start: implement
nodes:
  implement: { agent: codex, next: check, on: { unchanged: failed }, max: 2 }
  check: { command: x, next: done, on: { fail: implement }, max: 2 }
`;
    const seen: unknown[] = [];
    const implement =
      (session: string): Behaviour =>
      async (context) => {
        seen.push(await context.agents.session('implement'), await context.agents.interrupted());
        await context.agents.remember({ agent: 'codex', id: `${session}-early` });
        await context.agents.remember({ agent: 'codex', id: session });
        return { kind: 'outcome', outcome: 'done' };
      };
    fixture.script.on('implement', implement('one'), implement('two'));
    fixture.script.on('check', outcome('fail'), async (context) => {
      seen.push(await context.agents.session('implement'), await context.agents.session('check'));
      return { kind: 'outcome', outcome: 'pass' };
    });
    const id = await fixture.start(text);
    await fixture.reaches(id, 'succeeded');
    expect(seen).toEqual([
      undefined,
      undefined,
      { agent: 'codex', id: 'one', standing: 'own' },
      undefined,
      { agent: 'codex', id: 'two', standing: 'own' },
      undefined,
    ]);
  });

  test('says once what is to be said once, and knows what its steps have done', async () => {
    const text =
      'start: one\nnodes:\n  one: { command: x, next: two, on: { fail: failed } }\n  two: { command: x, next: done, on: { fail: failed } }';
    let summary = '';
    fixture.script.on('one', async (context) => {
      await Promise.all([1, 2, 3].map(() => context.sayOnce('key', 'only once')));
      await context.say('info', 'as often as it is said');
      return { kind: 'outcome', outcome: 'pass', detail: 'All was well.', outputs: { summary: 'words' } };
    });
    fixture.script.on('two', async (context) => {
      await context.sayOnce('key', 'only once');
      summary = await context.summary();
      expect(await context.headAfter('one')).toBe(context.run.head);
      expect(await context.headAfter('never')).toBeUndefined();
      return { kind: 'outcome', outcome: 'pass' };
    });
    const id = await fixture.start(text);
    await fixture.reaches(id, 'succeeded');
    expect((await fixture.events(id)).flatMap((event) => (event.kind === 'message' ? [event.text] : []))).toEqual([
      'only once',
      'as often as it is said',
    ]);
    expect(summary).toBe('- one #1 ended in pass. All was well.\n  It said: words');
  });
});
