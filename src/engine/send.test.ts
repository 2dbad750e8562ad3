import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Event } from '../domain/event.ts';
import { randomIds } from '../lib/ids.ts';
import { waitUntil } from '../lib/wait-until.ts';
import { messagesOf } from '../store/messages.ts';
import { cancelRun } from './cancel.ts';
import { decide } from './decide.ts';
import { commitId } from './fixture/commits.ts';
import { type EngineFixture, engineFixture } from './fixture/engine-fixture.ts';
import { type Behaviour, gate, hang, outcome } from './fixture/script.ts';
import { mergeRun } from './merge-aside.ts';
import { type Sending, sendMessage } from './send.ts';
import { discardRun } from './trash.ts';

let fixture: EngineFixture;

beforeAll(async () => {
  fixture = await engineFixture();
  await fixture.worker();
});

beforeEach(() => fixture.script.clear());

afterAll(() => fixture[Symbol.asyncDispose]());

const ada = { kind: 'person', name: 'ada' } as const;
const send = (id: string, text: string, more: Partial<Sending> = {}) =>
  sendMessage(fixture.engine, id, { id: randomIds(), text, actor: ada, now: false, ...more });
const nodes = async (id: string) => (await fixture.steps(id)).map((step) => `${step.node}#${step.n} ${step.outcome}`);
const sent = (events: readonly Event[]) =>
  events.flatMap((event) => (event.kind === 'message' && event.sent !== undefined ? [event.sent.state] : []));

/** An agent that takes what it is told, and puts that out as its summary. */
const listening: Behaviour = async (context) => {
  const said = await context.messages.take();
  const { head } = await (await context.workspace()).collect(context.commitText());
  await context.messages.heard();
  const summary = said.map(({ from, text, again }) => `${from}: ${text}${again ? ' (again)' : ''}`).join(' | ');
  return { kind: 'outcome', outcome: 'done', outputs: { summary, head } };
};
const heard = async (id: string) =>
  (await fixture.steps(id)).flatMap((step) =>
    step.agentic ? [`${step.node}#${step.n} ${String(step.outputs?.['summary'])}`] : [],
  );

const PIPE = `
start: implement
nodes:
  implement: { agent: default, max: 1, next: check, on: { unchanged: park } }
  check: { command: x, max: 1, next: done, on: { fail: park } }
`;

test('a message to a working agent waits, and is taken with others, in order', async () => {
  const first = gate();
  fixture.script.on('implement', async (context) => {
    await first.behaviour(context);
    return listening(context);
  });
  const id = await fixture.start(PIPE);
  await waitUntil(() => first.arrived === 1, { timeoutMs: 5_000 });
  expect(await send(id, 'one')).toEqual({
    state: 'queued',
    text: 'It is delivered when the present turn of implement #1 ends.',
  });
  await send(id, 'two', { actor: { kind: 'person', name: 'bob' } });
  first.open();
  await fixture.reaches(id, 'succeeded');
  expect(await heard(id)).toEqual(['implement#1 ada: one | bob: two']);
  expect(sent(await fixture.events(id))).toEqual(['queued', 'queued', 'delivered', 'delivered']);
  expect(await nodes(id)).toEqual(['implement#1 done', 'check#1 pass']);
});

test('one that may not wait is made known to the turn at work, and any other is not', async () => {
  const told: boolean[] = [];
  fixture.script.on('implement', async (context) => {
    told.push(await context.messages.urgent(context.signal));
    return listening(context);
  });
  const id = await fixture.start(PIPE);
  await waitUntil(async () => (await fixture.steps(id))[0]?.state === 'running', { timeoutMs: 5_000 });
  await send(id, 'when you have time');
  expect(await send(id, 'stop it', { now: true })).toEqual({
    state: 'delivering',
    text: 'The turn of implement #1 is interrupted for it.',
  });
  await fixture.reaches(id, 'succeeded');
  expect(told).toEqual([true]);
  expect(await heard(id)).toEqual(['implement#1 ada: when you have time | ada: stop it']);
});

test('whoever waits for one that may not wait is told when the step is stopped', async () => {
  const told: boolean[] = [];
  fixture.script.on('implement', async (context) => {
    told.push(await context.messages.urgent(context.signal));
    return hang(context);
  });
  const id = await fixture.start(PIPE);
  await waitUntil(async () => (await fixture.steps(id))[0]?.state === 'running', { timeoutMs: 5_000 });
  await cancelRun(fixture.engine, id, ada);
  await fixture.reaches(id, 'cancelled');
  expect(told).toEqual([false]);
});

test('what the same attempt took before, and its agent has not heard, is said to be told again', async () => {
  const first = gate();
  fixture.script.on('implement', async (context) => {
    await first.behaviour(context);
    await context.messages.take();
    await send(context.run.id, 'two');
    return listening(context);
  });
  const id = await fixture.start(PIPE);
  await waitUntil(() => first.arrived === 1, { timeoutMs: 5_000 });
  await send(id, 'one');
  first.open();
  await fixture.reaches(id, 'succeeded');
  expect(await heard(id)).toEqual(['implement#1 ada: one (again) | ada: two']);
});

test('the same message sent twice is one', async () => {
  const first = gate();
  fixture.script.on('implement', async (context) => {
    await first.behaviour(context);
    return listening(context);
  });
  const id = await fixture.start(PIPE);
  await waitUntil(() => first.arrived === 1, { timeoutMs: 5_000 });
  const answer = await send(id, 'once', { id: `once-${id}` });
  expect(await send(id, 'once', { id: `once-${id}` })).toEqual(answer);
  first.open();
  await fixture.reaches(id, 'succeeded');
  expect(await heard(id)).toEqual(['implement#1 ada: once']);
});

test('one that comes while a check works has the run go on once it has ended, past a bound that is used up', async () => {
  const checking = gate({ kind: 'outcome', outcome: 'pass' });
  fixture.script.on('implement', listening);
  fixture.script.on('check', checking.behaviour, outcome('pass'));
  const id = await fixture.start(PIPE);
  await waitUntil(() => checking.arrived === 1, { timeoutMs: 5_000 });
  expect(await send(id, 'the docs too')).toMatchObject({ state: 'queued' });
  checking.open();
  await waitUntil(async () => (await fixture.steps(id)).length === 4, { timeoutMs: 5_000 });
  await fixture.reaches(id, 'succeeded');
  expect(await nodes(id)).toEqual(['implement#1 done', 'check#1 pass', 'implement#2 done', 'check#2 pass']);
  expect(await heard(id)).toEqual(['implement#1 ', 'implement#2 ada: the docs too']);
  const [, , second] = await fixture.steps(id);
  expect(second?.follow_up).toBe(true);
  const kinds = (await fixture.events(id)).map(({ kind }) => kind).filter((kind) => kind.startsWith('run.'));
  expect(kinds).toEqual(['run.started', 'run.ended', 'run.resumed', 'run.ended']);
});

test('the next agent takes it, where there is one', async () => {
  const checking = gate({ kind: 'outcome', outcome: 'fail' });
  fixture.script.on('implement', listening);
  fixture.script.on('fix', listening);
  fixture.script.on('check', checking.behaviour, outcome('pass'));
  const id = await fixture.start(`
start: implement
nodes:
  implement: { agent: default, next: check, on: { unchanged: park } }
  check: { command: x, max: 4, next: done, on: { fail: fix } }
  fix: { agent: default, next: check, on: { unchanged: park } }
`);
  await waitUntil(() => checking.arrived === 1, { timeoutMs: 5_000 });
  await send(id, 'and mind the tabs');
  checking.open();
  await fixture.reaches(id, 'succeeded');
  expect(await heard(id)).toEqual(['implement#1 ', 'fix#1 ada: and mind the tabs']);
  expect((await fixture.steps(id)).some((step) => step.follow_up)).toBe(false);
});

test('one to a run that has ended has it go on in the session of its latest agent, and it ends again', async () => {
  fixture.script.on('implement', listening);
  const id = await fixture.start(PIPE);
  await fixture.reaches(id, 'succeeded');
  const before = await fixture.run(id);
  expect(await send(id, 'one more thing')).toEqual({ state: 'resumed', text: 'The run goes on at implement #2.' });
  await waitUntil(
    async () => (await fixture.steps(id)).at(-1)?.node === 'check' && (await fixture.steps(id)).length === 4,
    {
      timeoutMs: 5_000,
    },
  );
  await fixture.reaches(id, 'succeeded');
  expect(await heard(id)).toEqual(['implement#1 ', 'implement#2 ada: one more thing']);
  expect((await fixture.run(id)).head).not.toBe(before.head);
  expect((await fixture.run(id)).base_commit).toBe(before.base_commit);
});

test('one to a cancelled run has it go on', async () => {
  fixture.script.on('implement', hang, listening);
  const id = await fixture.start(PIPE);
  await waitUntil(async () => (await fixture.steps(id))[0]?.state === 'running', { timeoutMs: 5_000 });
  await cancelRun(fixture.engine, id, ada);
  await fixture.reaches(id, 'cancelled');
  await send(id, 'on second thoughts');
  await fixture.reaches(id, 'succeeded');
  expect(await heard(id)).toEqual(['implement#1 undefined', 'implement#2 ada: on second thoughts']);
  expect(await fixture.run(id)).toMatchObject({ cancelling: false });
});

const REVIEWED = (given: string) => `
start: implement
nodes:
  implement: { agent: default, max: 3, next: review, on: { unchanged: park }${given} }
  review: { approval: reviewer, on: { approved: done, changes: implement, abandoned: abandoned } }
`;

test.each([
  ['hands it on', ', with: { review: $review.feedback }', 'implement#2 '],
  ['does not hand it on', '', 'implement#2 ada: smaller, please'],
])('where an approval waits it is the answer "changes", whether the blueprint %s', async (_, given, told) => {
  fixture.script.on('implement', listening);
  const id = await fixture.start(REVIEWED(given));
  await fixture.reaches(id, 'parked');
  expect(await send(id, 'smaller, please')).toMatchObject({ state: 'resumed' });
  await waitUntil(async () => (await fixture.steps(id)).length === 4, { timeoutMs: 5_000 });
  await fixture.reaches(id, 'parked');
  expect(await nodes(id)).toEqual(['implement#1 done', 'review#1 changes', 'implement#2 done', 'review#2 null']);
  const [, , again] = await fixture.steps(id);
  expect(again).toMatchObject({ follow_up: false, inputs: given === '' ? {} : { review: 'smaller, please' } });
  expect(await heard(id)).toEqual(['implement#1 ', told]);
  expect(sent(await fixture.events(id))).toEqual(['resumed', 'delivered']);
});

test('the note of a decision reaches the agent, also where the blueprint does not hand it on', async () => {
  fixture.script.on('implement', listening);
  const id = await fixture.start(REVIEWED(''));
  await fixture.reaches(id, 'parked');
  await decide(fixture.engine, id, { choice: 'changes', note: 'in French', actor: ada });
  await waitUntil(async () => (await fixture.steps(id)).length === 4, { timeoutMs: 5_000 });
  await fixture.reaches(id, 'parked');
  expect(await heard(id)).toEqual(['implement#1 ', 'implement#2 ada: in French']);
});

test('an approval without a way back is passed over', async () => {
  fixture.script.on('implement', listening);
  const id = await fixture.start(`
start: implement
nodes:
  implement: { agent: default, max: 1, next: ask, on: { unchanged: park } }
  ask: { approval: requester, choices: [fine, abandoned], on: { fine: done, abandoned: abandoned } }
`);
  await fixture.reaches(id, 'parked');
  await send(id, 'not yet');
  await waitUntil(async () => (await fixture.steps(id)).length === 4, { timeoutMs: 5_000 });
  await fixture.reaches(id, 'parked');
  expect(await nodes(id)).toEqual(['implement#1 done', 'ask#1 passed over', 'implement#2 done', 'ask#2 null']);
  expect(await decide(fixture.engine, id, { choice: 'fine', actor: ada })).toMatchObject({ kind: 'succeeded' });
});

test('one that waited when a bound was used up does not raise it; whoever has the run go on has it told', async () => {
  const working = gate({ kind: 'limit', limit: 'tokens', used: 10, max: 10, text: 'too many tokens' });
  fixture.script.on('implement', working.behaviour, listening);
  const id = await fixture.start(PIPE, { settings: { limits: { tokens: 10 } } });
  await waitUntil(() => working.arrived === 1, { timeoutMs: 5_000 });
  await send(id, 'carry on');
  working.open();
  expect(await fixture.reaches(id, 'parked')).toMatchObject({ reason: { code: 'limit/tokens' } });
  expect(await nodes(id)).toEqual(['implement#1 limit']);
  await decide(fixture.engine, id, { choice: 'retry', actor: ada });
  await fixture.reaches(id, 'succeeded');
  expect(await heard(id)).toEqual(['implement#1 undefined', 'implement#2 ada: carry on']);
});

test('one sent when a bound is used up gives it again', async () => {
  fixture.script.on(
    'implement',
    async () => ({ kind: 'limit', limit: 'turns', used: 3, max: 3, text: 'too many' }),
    listening,
  );
  const id = await fixture.start(PIPE, { settings: { limits: { turns: 3 } } });
  await fixture.reaches(id, 'parked');
  await send(id, 'go on');
  await fixture.reaches(id, 'succeeded');
  expect((await fixture.run(id)).granted).toEqual({ turns: 3 });
});

test('an agent that fails before it hears is told again, by the next step', async () => {
  fixture.script.on(
    'implement',
    async (context) => {
      await context.messages.take();
      return { kind: 'outcome', outcome: 'error', detail: 'no network' };
    },
    listening,
  );
  const first = gate();
  fixture.script.on('prepare', first.behaviour);
  const id = await fixture.start(
    `
start: prepare
nodes:
  prepare: { command: x, next: implement, on: { fail: failed, done: implement } }
  implement: { agent: default, max: 3, next: done, on: { unchanged: park } }
`.replace(', done: implement', ''),
  );
  await waitUntil(() => first.arrived === 1, { timeoutMs: 5_000 });
  await send(id, 'hello');
  first.open({ kind: 'outcome', outcome: 'pass' });
  await fixture.reaches(id, 'parked');
  await decide(fixture.engine, id, { choice: 'retry', actor: ada });
  await fixture.reaches(id, 'succeeded');
  expect(await heard(id)).toEqual(['implement#1 undefined', 'implement#2 ada: hello (again)']);
});

const MERGED = { target: 'main', commit: commitId('merged'), tree: commitId('tree') };

test('a merged run goes on from what was merged, and can be merged again', async () => {
  fixture.script.on('implement', listening);
  fixture.script.on('deliver', async ({ run }) => ({
    kind: 'outcome',
    outcome: 'delivered',
    outputs: { delivered: run.head },
  }));
  fixture.script.on('merge', outcome('merged', { merged: MERGED }));
  const id = await fixture.start(`
start: implement
nodes:
  implement: { agent: default, next: deliver, on: { unchanged: park } }
  deliver: { deliver: branch, next: done }
`);
  await fixture.reaches(id, 'succeeded');
  await mergeRun(fixture.engine, id, { push: false, actor: ada });
  await waitUntil(async () => (await fixture.run(id)).merged !== null, { timeoutMs: 5_000 });
  await fixture.reaches(id, 'succeeded');
  const later = commitId('later on main');
  await send(id, 'and now the other half', { onto: later });
  expect(await fixture.run(id)).toMatchObject({ head: later, base_commit: later, merged: null });
  await waitUntil(async () => (await fixture.steps(id)).length === 5, { timeoutMs: 5_000 });
  await fixture.reaches(id, 'succeeded');
  expect(await nodes(id)).toEqual([
    'implement#1 done',
    'deliver#1 delivered',
    'merge#1 merged',
    'implement#2 done',
    'deliver#2 delivered',
  ]);
  expect(await mergeRun(fixture.engine, id, { push: false, actor: ada })).toMatchObject({ kind: 'working' });
  await fixture.reaches(id, 'succeeded');
  expect((await nodes(id)).at(-1)).toBe('merge#2 merged');
});

test('a step of a merge outside of the blueprint takes no number of a node of that name', async () => {
  fixture.script.on('implement', listening);
  fixture.script.on('deliver', async ({ run }) => ({
    kind: 'outcome',
    outcome: 'delivered',
    outputs: { delivered: run.head },
  }));
  fixture.script.on('merge', outcome('rejected'), outcome('merged', { merged: MERGED }));
  const id = await fixture.start(`
start: implement
nodes:
  implement: { agent: default, next: deliver, on: { unchanged: merge } }
  deliver: { deliver: branch, next: done }
  merge: { deliver: merge, next: done }
`);
  await fixture.reaches(id, 'succeeded');
  await mergeRun(fixture.engine, id, { push: false, actor: ada });
  await fixture.reaches(id, 'parked');
  fixture.script.on('implement', outcome('unchanged'));
  await send(id, 'merge it otherwise');
  await fixture.reaches(id, 'succeeded');
  expect((await nodes(id)).slice(2)).toEqual(['merge#1 rejected', 'implement#2 unchanged', 'merge#2 merged']);
});

test('what nobody could be told is refused, and nothing of it is kept', async () => {
  const id = await fixture.start(
    'start: check\nnodes:\n  check: { command: x, next: work, on: { fail: park } }\n  work: { agent: default, next: done, on: { unchanged: park } }',
  );
  fixture.script.on('check', outcome('fail'));
  await fixture.reaches(id, 'parked', 'succeeded');
  const [first] = await fixture.steps(id);
  if (first?.outcome === 'fail') {
    await expect(send(id, 'hello?')).rejects.toMatchObject({ code: 'send/no-agent' });
    expect(await messagesOf(fixture.engine.database, id)).toEqual([]);
  }
  await discardRun(fixture.engine, id, ada);
  await expect(send(id, 'hello?')).rejects.toMatchObject({
    code: 'run/discarded',
    hint: expect.stringContaining('restore') as string,
  });
});
