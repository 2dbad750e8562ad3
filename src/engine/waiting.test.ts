import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { waitUntil } from '../lib/wait-until.ts';
import { putOut } from '../store/outbox.ts';
import { openStep } from '../store/steps.ts';
import { cancelRun } from './cancel.ts';
import { decide } from './decide.ts';
import { type EngineFixture, engineFixture } from './fixture/engine-fixture.ts';
import { gate, outcome } from './fixture/script.ts';
import { type Waiting, whyWaiting } from './waiting.ts';

let fixture: EngineFixture;

beforeAll(async () => {
  fixture = await engineFixture();
});

beforeEach(() => {
  fixture.script.clear();
  fixture.limits = { agents: 100, perRepository: 100, perProvider: {}, others: 100 };
});

afterAll(() => fixture[Symbol.asyncDispose]());

const AGENT = 'start: work\nnodes:\n  work: { agent: codex, next: done, on: { unchanged: failed } }';
const CHECK = 'start: check\nnodes:\n  check: { command: x, next: done, on: { fail: failed } }';
const MERGE = 'start: merge\nnodes:\n  merge: { deliver: merge, next: done }';
const ada = { kind: 'person', name: 'ada' } as const;

async function why(run: string): Promise<Waiting | undefined> {
  const step = await openStep(fixture.engine.database, run);
  return step === undefined ? undefined : whyWaiting(fixture.engine, step);
}

async function cancelAll(...runs: readonly string[]): Promise<void> {
  for (const run of runs) await cancelRun(fixture.engine, run, ada);
}

test('each limit is named with its figure, those who have the places, and how many go first', async () => {
  const busy = await fixture.start(AGENT, { slug: 'busy', requester: 'bob' });
  const first = await fixture.start(AGENT, { slug: 'first' });
  const limits = fixture.limits;
  fixture.limits = { ...limits, agents: 2 };
  const second = await fixture.start(AGENT, { slug: 'second' });
  const third = await fixture.start(AGENT, { slug: 'third' });
  const urgent = await fixture.start(AGENT, { slug: 'urgent', priority: 1 });
  const check = await fixture.start(CHECK, { slug: 'check' });
  const by = [
    { run: busy, slug: 'busy', node: 'work', n: 1 },
    { run: first, slug: 'first', node: 'work', n: 1 },
  ];
  expect(await why(third)).toEqual({
    kind: 'limits.agents',
    max: 2,
    by,
    ahead: 2,
    text: '2 of 2 places for agents are taken (limits.agents) by busy (work #1), first (work #1); 2 others go before it.',
  });
  expect(await why(urgent)).toMatchObject({ ahead: 0, text: expect.stringContaining('it is the next in line') });
  expect(await why(check)).toMatchObject({ kind: 'worker', by: [] });

  fixture.limits = { ...limits, perRepository: 2 };
  expect(await why(second)).toMatchObject({ kind: 'limits.perRepository', max: 2, by, ahead: 1 });
  fixture.limits = { ...limits, perProvider: { openai: 2 }, providers: { codex: ['codex', 'openai'] } };
  expect(await why(second)).toMatchObject({
    kind: 'limits.perProvider',
    by,
    text: expect.stringContaining('2 of 2 places for agents of openai are taken (limits.perProvider.openai)'),
  });
  fixture.limits = { ...limits, perPerson: 1 };
  expect(await why(second)).toMatchObject({ kind: 'limits.perPerson', max: 1, by: by.slice(1) });
  fixture.limits = limits;
  expect(await why(second)).toMatchObject({ kind: 'next', by: [] });
  await cancelAll(busy, first, second, third, urgent, check);
});

test('a step without an agent waits for a place of its own sort, and one at work waits for nothing', async () => {
  fixture.limits = { ...fixture.limits, others: 1 };
  const place = gate({ kind: 'outcome', outcome: 'pass' });
  fixture.script.on('check', place.behaviour);
  const first = await fixture.start(CHECK, { slug: 'one' });
  const second = await fixture.start(CHECK, { slug: 'two' });
  await using _worker = await fixture.worker();
  await waitUntil(() => place.arrived === 1, { timeoutMs: 5_000 });
  expect(await why(first)).toBeUndefined();
  expect(await why(second)).toMatchObject({ kind: 'others', max: 1, by: [{ slug: 'one', node: 'check', n: 1 }] });
  place.open();
  await fixture.reaches(second, 'succeeded');
});

test('those that merge to the same branch of a repository do so one after the other, and say who is at it', async () => {
  const atOnce = new Map<string, number>();
  let most = 0;
  const place = gate({ kind: 'outcome', outcome: 'merged' });
  fixture.script.on('merge', async (context) => {
    const branch = `${context.run.slug.split('-')[0]} ${context.run.target}`;
    atOnce.set(branch, (atOnce.get(branch) ?? 0) + 1);
    most = Math.max(most, ...atOnce.values());
    const result = await place.behaviour(context);
    atOnce.set(branch, (atOnce.get(branch) ?? 0) - 1);
    return result;
  });
  const runs = [];
  for (const slug of ['here-1', 'here-2', 'here-3'])
    runs.push(await fixture.start(MERGE, { slug, repository: 'here' }));
  runs.push(await fixture.start(MERGE, { slug: 'there-1', repository: 'there' }));
  runs.push(await fixture.start(MERGE, { slug: 'here-4', repository: 'here', target: 'next' }));
  await using _worker = await fixture.worker();
  await waitUntil(() => place.arrived === 3, { timeoutMs: 5_000 });
  expect(await why(runs[2] ?? '')).toEqual({
    kind: 'branch',
    max: 1,
    by: [{ run: runs[0], slug: 'here-1', node: 'merge', n: 1 }],
    ahead: 1,
    text: 'here-1 (merge #1) has branch main to itself until it is done; 1 other goes before it.',
  });
  place.open();
  for (const run of runs) await fixture.reaches(run, 'succeeded');
  expect(most).toBe(1);
});

test('a run that was begun goes before one that was not, and after a pause for a person begins to wait anew', async () => {
  fixture.limits = { ...fixture.limits, agents: 1 };
  const two = `
start: first
nodes:
  first: { agent: codex, next: second, on: { unchanged: failed } }
  second: { agent: codex, next: review, on: { unchanged: failed } }
  review: { approval: reviewer, on: { approved: third, changes: failed, abandoned: abandoned } }
  third: { agent: codex, next: done, on: { unchanged: failed } }
`;
  const place = gate();
  fixture.script.on('first', place.behaviour);
  const begun = await fixture.start(two);
  await using _worker = await fixture.worker();
  await waitUntil(() => place.arrived === 1, { timeoutMs: 5_000 });
  const others = [await fixture.start(AGENT), await fixture.start(AGENT)];
  place.open();
  await fixture.reaches(begun, 'parked');
  for (const run of others) await fixture.reaches(run, 'succeeded');
  const order = fixture.script.calls.filter(({ run }) => [begun, ...others].includes(run));
  expect(order.map(({ node }) => node)).toEqual(['first', 'second', 'work', 'work']);
  const answered = new Date();
  await decide(fixture.engine, begun, { actor: ada });
  await fixture.reaches(begun, 'succeeded');
  const steps = await fixture.steps(begun);
  const [first, second, , third] = steps;
  expect(second?.since).toEqual(first?.since);
  expect(third?.since.getTime()).toBeGreaterThanOrEqual(answered.getTime());
});

test('a step whose refs are on their way waits for them', async () => {
  fixture.limits = { ...fixture.limits, agents: 0 };
  const run = await fixture.start(AGENT);
  await putOut(fixture.engine.database, { id: 'trash-1', run, kind: 'trash', worker: 'nobody', at: new Date() });
  expect(await why(run)).toMatchObject({ kind: 'refs' });
  fixture.script.on('work', outcome('done'));
  await cancelAll(run);
});
