import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Budget } from '../domain/budget.ts';
import type { ModelCall, ModelTokens } from '../domain/model-call.ts';
import { waitUntil } from '../lib/wait-until.ts';
import { originOfAttempt } from '../store/model-calls.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { decide } from './decide.ts';
import { type EngineFixture, engineFixture } from './fixture/engine-fixture.ts';
import { type Behaviour, gate } from './fixture/script.ts';
import { AttemptMeter, type Bounds } from './model-meter.ts';

let fixture: EngineFixture;
const said: string[] = [];

beforeAll(async () => {
  fixture = await engineFixture();
  await fixture.worker();
});

beforeEach(() => {
  fixture.script.clear();
  fixture.budgets = { budgets: [], teams: {} };
  said.length = 0;
});

afterAll(() => fixture[Symbol.asyncDispose]());

const PIPE = `
start: implement
nodes:
  implement: { agent: default, max: 1, next: done, on: { unchanged: park } }
`;
const UPSTREAM = { host: 'api.example.com', credential: 'THE_KEY' };
const ever = new AbortController().signal;
const tokens = (input: number, output: number): ModelTokens => ({
  input,
  output,
  cached: 0,
  cacheWrite: 0,
  reasoning: 0,
});

/** A step at work, until it is let go on. */
async function working(requester = 'ada') {
  const held = gate();
  fixture.script.on('implement', held.behaviour);
  const run = await fixture.start(PIPE, { requester });
  await waitUntil(async () => held.arrived > 0, { timeoutMs: 5_000, what: 'the step to begin' });
  const [step] = await fixture.steps(run);
  if (step === undefined) throw new Error('there is no step');
  return { run, step: step.id, held };
}

async function meterOf(
  { step }: { step: string },
  bounds: Bounds = {},
  clock = fixture.engine.clock,
): Promise<AttemptMeter> {
  const { engine } = fixture;
  const origin = await originOfAttempt(engine.database, { step, attempt: 1, agent: 'codex' });
  if (origin === undefined) throw new Error('there is no such attempt');
  return new AttemptMeter({
    engine: { ...engine, limits: engine.limits, budgets: engine.budgets, clock },
    origin,
    bounds,
    say: (text) => void said.push(text),
    tellUsage: async () => undefined,
  });
}

let calls = 0;
function call(used: ModelTokens | null, more: Partial<ModelCall> = {}): ModelCall {
  return {
    id: `call-${(calls += 1)}`,
    api: 'responses',
    host: UPSTREAM.host,
    model: 'known',
    credential: UPSTREAM.credential,
    status: 200,
    outcome: 'answered',
    tokens: used,
    estimated: false,
    cost: used === null ? null : 0.5,
    startedAt: Date.now(),
    firstByteMs: 5,
    durationMs: 10,
    ...more,
  };
}

const soFar = (id: string, used: ModelTokens, cost: number | null = 0.1) => ({
  id,
  model: 'known',
  tokens: used,
  estimated: true,
  cost,
});

test('what calls used is counted with the run, and what the agent reports is kept beside it', async () => {
  const at = await working();
  const meter = await meterOf(at);
  expect(await meter.admit(UPSTREAM, ever)).toEqual({ kind: 'admitted' });
  meter.ended(call(tokens(100, 10)));
  meter.ended(call(null, { status: 500, outcome: 'failed' }));
  meter.reported({ input: 90, output: 10, cached: 0, reasoning: 0, cost: null });
  expect(meter.usage).toMatchObject({ input: 100, output: 10, cost: 0.5 });
  await meter[Symbol.asyncDispose]();
  const { consumed } = await fixture.run(at.run);
  expect(consumed.usage).toEqual({ input: 100, output: 10, cached: 0, reasoning: 0, cost: 0.5 });
  expect(consumed.reported).toMatchObject({ input: 90, output: 10 });
  expect(said).toEqual([]);
  at.held.open();
});

test('an agent that reports something else than what went through is told of', async () => {
  const at = await working();
  const meter = await meterOf(at);
  meter.ended(call(tokens(10_000, 1_000)));
  meter.reported({ input: 2_000, output: 100, cached: 0, reasoning: 0, cost: null });
  await meter[Symbol.asyncDispose]();
  expect(said).toEqual(['The agent reports 2100 tokens; 11000 have gone through the gateway.']);
  at.held.open();
});

test('a bound of the step stops a call in the middle, and nothing is admitted after it', async () => {
  const at = await working();
  const meter = await meterOf(at, { tokens: { used: 500, max: 1_000 } });
  await meter.admit(UPSTREAM, ever);
  expect(meter.used(soFar('one', tokens(300, 50)))).toBeUndefined();
  expect(meter.exceeded).toBeUndefined();
  expect(meter.used(soFar('one', tokens(300, 200)))).toMatchObject({ kind: 'limit' });
  expect(await meter.untilExceeded).toMatchObject({ limit: 'tokens', used: 1000, max: 1000 });
  expect(await meter.admit(UPSTREAM, ever)).toMatchObject({ kind: 'refused', refusal: { kind: 'limit' } });
  at.held.open();
});

test('a bound on money does not see what nobody knows the price of', async () => {
  const at = await working();
  const meter = await meterOf(at, { cost: { used: 0, max: 0.2 } });
  expect(meter.used(soFar('one', tokens(9_000, 9_000), null))).toBeUndefined();
  expect(meter.used(soFar('one', tokens(9_000, 9_000), 0.2))).toMatchObject({ kind: 'limit' });
  const another = await meterOf(at, { cost: { used: 0, max: 0.2 } });
  another.ended(call(tokens(9_000, 9_000), { cost: null }));
  await another[Symbol.asyncDispose]();
  expect(said).toEqual([expect.stringContaining('Nobody knows the price of known: the limit cost does not count it.')]);
  at.held.open();
});

test('an attempt that was taken over is admitted nothing any more', async () => {
  const at = await working();
  const meter = await meterOf(at);
  await fixture.engine.database.query('update step set lease = lease + 1 where id = $1', [at.step]);
  const lost = { kind: 'refused', refusal: { kind: 'lost' } };
  expect(await meter.admit(UPSTREAM, ever)).toMatchObject(lost);
  expect(await meter.admitFree()).toMatchObject(lost);
  await fixture.engine.database.query('update step set lease = lease - 1 where id = $1', [at.step]);
  at.held.open();
});

test('what uses nothing is admitted by whoever holds the step, whatever is used up or paused', async () => {
  const at = await working();
  const meter = await meterOf(at, { tokens: { used: 0, max: 10 } });
  meter.ended(call(tokens(10, 1)));
  meter.paused(UPSTREAM, { kind: 'quota', until: fixture.engine.clock.now() + 60_000 });
  expect(await meter.admit(UPSTREAM, ever)).toMatchObject({ kind: 'refused', refusal: { kind: 'limit' } });
  expect(await meter.admitFree()).toEqual({ kind: 'admitted' });
  await meter[Symbol.asyncDispose]();
  await fixture.engine.database.query('delete from upstream_pause');
  at.held.open();
});

const daily: Budget = { name: 'person-day', per: 'person', each: 'day', tokens: 1_000 };

test('a budget is one for all runs that it is for, those included that are at work', async () => {
  fixture.budgets = { budgets: [daily], teams: {} };
  const [one, two, other] = [await working('eve'), await working('eve'), await working('mallory')];
  const [first, second, third] = [await meterOf(one), await meterOf(two), await meterOf(other)];
  for (const meter of [first, second, third]) expect(await meter.admit(UPSTREAM, ever)).toEqual({ kind: 'admitted' });
  expect(first.used(soFar('a', tokens(600, 0)))).toBeUndefined();
  expect(third.used(soFar('c', tokens(900, 0)))).toBeUndefined();
  expect(second.used(soFar('b', tokens(399, 0)))).toBeUndefined();
  expect(second.used(soFar('b', tokens(400, 0)))).toMatchObject({ kind: 'limit' });
  expect(second.exceeded).toMatchObject({ limit: 'budget' });
  expect(second.exceeded?.text).toContain('person-day');
  first.ended(call(tokens(600, 0), { id: 'a' }));
  second.ended(call(tokens(400, 0), { id: 'b' }));
  third.ended(call(tokens(900, 0), { id: 'c' }));
  await Promise.all([first, second, third].map((meter) => meter[Symbol.asyncDispose]()));
  const later = await meterOf(one);
  expect(await later.admit(UPSTREAM, ever)).toMatchObject({ kind: 'refused', refusal: { kind: 'limit' } });
  for (const { held } of [one, two, other]) held.open();
});

test('an answer that takes long is stopped by what others have used and ended meanwhile', async () => {
  fixture.budgets = { budgets: [{ ...daily, name: 'zoe-day' }], teams: {} };
  const [long, other] = [await working('zoe'), await working('zoe')];
  const meter = await meterOf(long);
  await meter.admit(UPSTREAM, ever);
  expect(meter.used(soFar('long', tokens(100, 0)))).toBeUndefined();
  for (const id of ['short-1', 'short-2', 'short-3']) {
    const own = await meterOf(other);
    await own.admit(UPSTREAM, ever);
    own.used(soFar(id, tokens(900, 0)));
    own.ended(call(tokens(250, 0), { id }));
    await own[Symbol.asyncDispose]();
  }
  expect(meter.used(soFar('long', tokens(249, 0)))).toBeUndefined();
  expect(meter.used(soFar('long', tokens(250, 0)))).toMatchObject({ kind: 'limit' });
  expect(meter.exceeded?.text).toContain('zoe has used 1k of 1k tokens');
  for (const { held } of [long, other]) held.open();
});

test('a run that its budget stopped goes on when a person says so, and nobody else has it raised', async () => {
  fixture.budgets = { budgets: [{ ...daily, name: 'bob-day' }], teams: {} };
  const spends: Behaviour = async ({ step }) => {
    const [row] = await fixture.engine.database.query<{ id: string; lease: number }>(
      'select id, lease from step where node = $1 and n = $2 and state = $3 order by position desc limit 1',
      [step.node, step.n, 'running'],
    );
    const origin = await originOfAttempt(fixture.engine.database, {
      step: row?.id ?? '',
      attempt: row?.lease ?? 0,
      agent: 'codex',
    });
    if (origin === undefined) throw new Error('there is no such attempt');
    const { engine } = fixture;
    const meter = new AttemptMeter({
      engine,
      origin,
      bounds: {},
      say: () => undefined,
      tellUsage: async () => undefined,
    });
    const admission = await meter.admit(UPSTREAM, ever);
    if (admission.kind === 'admitted') meter.ended(call(tokens(1_000, 0)));
    await meter[Symbol.asyncDispose]();
    return meter.exceeded === undefined ? { kind: 'outcome', outcome: 'done' } : { kind: 'limit', ...meter.exceeded };
  };
  fixture.script.on('implement', spends);
  const first = await fixture.start(PIPE, { requester: 'bob' });
  await fixture.reaches(first, 'succeeded');
  const second = await fixture.start(PIPE, { requester: 'bob' });
  await fixture.reaches(second, 'parked');
  expect((await fixture.run(second)).state).toMatchObject({
    reason: { code: 'limit/budget' },
    needs: { kind: 'limit' },
  });
  await decide(fixture.engine, second, { choice: 'retry', actor: { kind: 'system', name: 'switchyard' } });
  await waitUntil(
    async () => (await fixture.steps(second)).length === 2 && (await fixture.run(second)).state.kind === 'parked',
    { timeoutMs: 5_000 },
  );
  await decide(fixture.engine, second, { choice: 'retry', actor: { kind: 'person', name: 'ada' } });
  await fixture.reaches(second, 'succeeded');
  const texts = (await fixture.events(second)).flatMap((event) => (event.kind === 'message' ? [event.text] : []));
  expect(texts).toContain('ada has given the budget bob-day its amount once more.');
});

test('a rate limit holds up the requests of all until it is over, and says so', async () => {
  const clock = new ManualClock();
  const [one, two] = [await working(), await working()];
  const [first, second] = [await meterOf(one, {}, clock), await meterOf(two, {}, clock)];
  const upstream = { host: 'busy.example.com', credential: null };
  first.paused(upstream, { kind: 'rate-limit', until: 20_000 });
  await first[Symbol.asyncDispose]();
  let isAdmitted = false;
  const admitted = second.admit(upstream, ever).then((admission) => {
    isAdmitted = true;
    return admission;
  });
  await waitUntil(async () => said.some((text) => text.includes('requests wait until')), { timeoutMs: 5_000 });
  await clock.advance(19_000);
  expect(isAdmitted).toBe(false);
  expect(await second.admit({ ...upstream, credential: 'ANOTHER' }, ever)).toEqual({ kind: 'admitted' });
  await clock.advance(2_000);
  expect(await admitted).toEqual({ kind: 'admitted' });
  one.held.open();
  two.held.open();
});

test('a quota that is used up refuses at once, and says until when', async () => {
  const clock = new ManualClock();
  const at = await working();
  const meter = await meterOf(at, {}, clock);
  const upstream = { host: 'quota.example.com', credential: 'THE_KEY' };
  meter.paused(upstream, { kind: 'quota', until: 50_000 });
  await meter[Symbol.asyncDispose]();
  expect(await meter.admit(upstream, ever)).toMatchObject({
    kind: 'refused',
    refusal: { kind: 'quota', until: 50_000 },
  });
  meter.exhausted(upstream, 50_000);
  expect(await meter.untilExceeded).toMatchObject({ limit: 'quota', until: 50_000 });
  at.held.open();
});

test('a quota that is one model’s refuses that one, and no other', async () => {
  const at = await working();
  const meter = await meterOf(at, {}, new ManualClock());
  const upstream = { host: 'models.example.com', credential: 'THE_KEY' };
  meter.paused(upstream, { kind: 'quota', until: 50_000, model: 'pro' });
  await meter[Symbol.asyncDispose]();
  expect(await meter.admit({ ...upstream, model: 'flash' }, ever)).toEqual({ kind: 'admitted' });
  const message = 'The quota of THE_KEY at models.example.com for pro is used up until 1970-01-01 00:00:50 UTC.';
  expect(await meter.admit({ ...upstream, model: 'pro' }, ever)).toEqual({
    kind: 'refused',
    refusal: { kind: 'quota', until: 50_000, model: 'pro', message },
  });
  expect(said).toContain(message);
  meter.exhausted({ ...upstream, model: 'pro' }, 50_000);
  expect((await meter.untilExceeded).text).toContain(' for pro ');
  at.held.open();
});

test('what is refused is written down in short, and not without an end', async () => {
  const at = await working();
  const meter = await meterOf(at);
  meter.refused('x'.repeat(10_000));
  for (let n = 0; n < 200; n++) meter.refused(`The model m${n} is not among those that this agent may use.`);
  expect(said.length).toBe(51);
  expect(said.every((text) => text.length <= 501)).toBe(true);
  expect(said.at(-1)).toBe('What else is refused on the way to the model is not written down.');
  at.held.open();
});
