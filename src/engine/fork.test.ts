import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { randomIds } from '../lib/ids.ts';
import { waitUntil } from '../lib/wait-until.ts';
import { recordEvidence } from '../store/evidence.ts';
import { cancelRun } from './cancel.ts';
import { decide } from './decide.ts';
import { BASE } from './fixture/commits.ts';
import { type EngineFixture, engineFixture } from './fixture/engine-fixture.ts';
import { type Behaviour, hang, outcome } from './fixture/script.ts';
import { type Fork, forkPoint, forkRun } from './fork.ts';
import { flowAfter } from './fork-past.ts';
import { retryRun } from './retry.ts';
import { sendMessage } from './send.ts';

let fixture: EngineFixture;

beforeAll(async () => {
  fixture = await engineFixture();
  await fixture.worker();
});

beforeEach(() => fixture.script.clear());

afterAll(() => fixture[Symbol.asyncDispose]());

const ada = { kind: 'person', name: 'ada' } as const;
const bob = { kind: 'person', name: 'bob' } as const;
const nodes = async (id: string) => (await fixture.steps(id)).map((step) => `${step.node}#${step.n} ${step.outcome}`);

async function fork(id: string, name?: string, more: Partial<Pick<Fork, 'agent' | 'prompt'>> = {}): Promise<string> {
  const from = await fixture.run(id);
  const point = await forkPoint(fixture.engine, from, name);
  const forked = randomIds();
  const facts = { id: forked, from, point, base: from.base_commit, actor: bob, notes: [] };
  await forkRun(fixture.engine, { agent: undefined, prompt: undefined, ...facts, ...more });
  return forked;
}

/** An agent with a session, which puts out what it was told and in which session. */
const agent: Behaviour = async (context) => {
  const { agents, messages, step, run } = context;
  const known = await agents.session(step.node);
  const told = (await messages.take()).map(({ text }) => text).join();
  const { head } = await (await context.workspace()).collect(context.commitText());
  const goesOnFor = known?.standing === 'inherited' ? known.id : undefined;
  await agents.remember({ agent: known?.agent ?? 'codex', id: `${run.id} ${step.node} ${step.n}`, goesOnFor });
  await messages.heard();
  const session = known === undefined ? 'none' : `${known.standing} ${known.agent} ${known.id}`;
  return { kind: 'outcome', outcome: 'done', outputs: { summary: `${told}; ${session}`, head } };
};
const said = async (id: string) =>
  (await fixture.steps(id)).flatMap((step) => (step.agentic && !step.copied ? [step.outputs?.['summary']] : []));

/** That where the run stands is what its steps alone lead to. */
async function follows(id: string): Promise<void> {
  const steps = (await fixture.steps(id)).filter((step) => !step.aside && step.state === 'ended');
  const run = await fixture.run(id);
  expect(flowAfter(run, steps, fixture.engine.kinds)).toEqual(run.flow);
}

const PIPE = `
start: implement
nodes:
  implement: { agent: default, max: 2, next: check, on: { unchanged: park } }
  check: { command: x, max: 3, next: polish, on: { fail: implement } }
  polish: { agent: default, next: done, on: { unchanged: park } }
`;

test('a fork has the history up to the step, its head and sessions, and goes on from there; the other run stays as it is', async () => {
  fixture.script.on('implement', agent);
  fixture.script.on('polish', agent);
  const id = await fixture.start(PIPE);
  await fixture.reaches(id, 'succeeded');
  const before = { run: await fixture.run(id), steps: await fixture.steps(id), events: await fixture.events(id) };
  const forked = await fork(id, 'implement#1');
  await fixture.reaches(forked, 'succeeded');

  const [implement] = before.steps;
  expect(await fixture.run(forked)).toMatchObject({
    task: before.run.task,
    slug: `${before.run.slug}-2`,
    requester: 'bob',
    base_commit: BASE,
    delivered: null,
    forked_from: { run: id, slug: before.run.slug, node: 'implement', n: 1 },
  });
  const steps = await fixture.steps(forked);
  expect(steps.map(({ node, n, copied }) => `${node}#${n} ${copied}`)).toEqual([
    'implement#1 true',
    'check#1 false',
    'polish#1 false',
  ]);
  expect(steps[0]).toMatchObject({ head: implement?.head, outputs: implement?.outputs, worker: null, lease: 0 });
  expect(steps[1]?.head).toBe(implement?.head);
  expect((await fixture.events(forked))[0]).toMatchObject({
    kind: 'run.started',
    forkedFrom: { run: id, node: 'implement', n: 1 },
  });
  expect({ run: await fixture.run(id), steps: await fixture.steps(id), events: await fixture.events(id) }).toEqual(
    before,
  );
});

test('a session is inherited, to be forked, and from then on the fork has its own, at whichever node that stands', async () => {
  fixture.script.on('implement', agent);
  fixture.script.on('check', outcome('fail'), outcome('pass'));
  fixture.script.on('polish', agent);
  const id = await fixture.start(PIPE);
  await fixture.reaches(id, 'succeeded');
  const forked = await fork(id, 'check#1');
  await fixture.reaches(forked, 'succeeded');
  expect(await said(forked)).toEqual([`; inherited codex ${id} implement 1`, '; none']);
  const sessions = await fixture.engine.database.query(
    'select node, id, standing from session where run = $1 order by node',
    [forked],
  );
  expect(sessions).toEqual([
    { node: 'implement', id: `${forked} implement 2`, standing: 'own' },
    { node: 'polish', id: `${forked} polish 1`, standing: 'own' },
  ]);
  const original = await fixture.engine.database.query(
    `select id, standing from session where run = $1 and node = 'implement'`,
    [id],
  );
  expect(original).toEqual([{ id: `${id} implement 2`, standing: 'own' }]);
});

test('another agent has the session handed over, and is told the prompt at the node of the step, where no agent comes next', async () => {
  fixture.script.on('implement', agent);
  const id = await fixture.start(PIPE);
  await fixture.reaches(id, 'succeeded');
  const forked = await fork(id, 'implement#1', { agent: 'claude', prompt: 'Use a map.' });
  await fixture.reaches(forked, 'succeeded');
  expect(await nodes(forked)).toEqual(['implement#1 done', 'implement#2 done', 'check#1 pass', 'polish#1 done']);
  await follows(forked);
  expect((await said(forked))[0]).toBe(`Use a map.; handed-over claude ${id} implement 1`);
  expect((await fixture.run(forked)).settings.agent).toBe('claude');
  expect((await fixture.steps(forked))[1]).toMatchObject({ follow_up: true, provider: 'claude' });
});

test('where an agent comes next, it is that one that is told', async () => {
  fixture.script.on('polish', agent);
  const id = await fixture.start(PIPE);
  await fixture.reaches(id, 'succeeded');
  const forked = await fork(id, 'check#1', { prompt: 'Shorter names.' });
  await fixture.reaches(forked, 'succeeded');
  expect(await nodes(forked)).toEqual(['implement#1 done', 'check#1 pass', 'polish#1 done']);
  expect(await said(forked)).toEqual(['Shorter names.; none']);
});

test('from the last step, only with something to be done', async () => {
  fixture.script.on('polish', agent);
  const id = await fixture.start(PIPE);
  await fixture.reaches(id, 'succeeded');
  await expect(fork(id)).rejects.toMatchObject({ code: 'fork/at-end' });
  const forked = await fork(id, undefined, { prompt: 'More.' });
  await fixture.reaches(forked, 'succeeded');
  expect((await nodes(forked)).slice(2)).toEqual(['polish#1 done', 'polish#2 done']);
});

test('a step that came to nothing, or was stopped, is entered again', async () => {
  fixture.script.on('check', outcome('error'), hang);
  const id = await fixture.start(PIPE);
  await fixture.reaches(id, 'parked');
  const forked = await fork(id);
  await waitUntil(async () => (await fixture.steps(forked))[2]?.state === 'running', { timeoutMs: 5_000 });
  await cancelRun(fixture.engine, forked, ada);
  await fixture.reaches(forked, 'cancelled');
  fixture.script.on('check', outcome('pass'));
  const again = await fork(forked);
  await fixture.reaches(again, 'succeeded');
  await follows(again);
  expect(await nodes(again)).toEqual([
    'implement#1 done',
    'check#1 error',
    'check#2 cancelled',
    'check#3 pass',
    'polish#1 done',
  ]);
});

test('at a park the fork waits as the other run did, and what checks said is known of it', async () => {
  fixture.script.on('implement', outcome('unchanged'));
  const id = await fixture.start(PIPE);
  await fixture.reaches(id, 'parked');
  const evidence = {
    name: 'test',
    kind: 'test',
    commit: BASE,
    tree: BASE,
    verdict: 'pass',
    items: [],
    report: '',
    durationMs: 1,
  } as const;
  await recordEvidence(fixture.engine.database, id, { ...evidence, items: [] }, new Date(0));
  const forked = await fork(id);
  expect(await fixture.reaches(forked, 'parked')).toMatchObject({ reason: { code: 'outcome/unchanged' } });
  expect(await fixture.engine.database.query('select name from evidence where run = $1', [forked])).toEqual([
    { name: 'test' },
  ]);
});

test('a step that is not there is refused, naming those that are', async () => {
  const id = await fixture.start(PIPE);
  await fixture.reaches(id, 'succeeded');
  await expect(fork(id, 'check#7')).rejects.toMatchObject({
    code: 'fork/step',
    hint: 'These have: implement#1, check#1, polish#1.',
  });
});

test('the same fork twice is one', async () => {
  fixture.script.on('polish', agent);
  const id = await fixture.start(PIPE);
  await fixture.reaches(id, 'succeeded');
  const from = await fixture.run(id);
  const point = await forkPoint(fixture.engine, from, 'check#1');
  const facts: Fork = {
    id: randomIds(),
    from,
    point,
    base: BASE,
    agent: undefined,
    prompt: 'x',
    actor: bob,
    notes: [],
  };
  await forkRun(fixture.engine, facts);
  await forkRun(fixture.engine, facts);
  await fixture.reaches(facts.id, 'succeeded');
  expect(await nodes(facts.id)).toEqual(['implement#1 done', 'check#1 pass', 'polish#1 done']);
});

test('where a run stands follows from its steps, whatever persons have done with it', async () => {
  fixture.script.on(
    'implement',
    async () => ({ kind: 'limit', limit: 'turns', used: 60, max: 60, text: 'too many' }),
    outcome('unchanged'),
    outcome('done'),
  );
  fixture.script.on('check', outcome('error'), outcome('fail'), outcome('pass'));
  const id = await fixture.start(`
start: implement
nodes:
  implement: { agent: default, max: 1, next: check, on: { unchanged: park } }
  check: { command: x, max: 3, next: ask, on: { fail: implement } }
  ask: { approval: requester, choices: [fine, abandoned], on: { fine: done, abandoned: abandoned } }
`);
  await fixture.reaches(id, 'parked');
  await follows(id);
  await retryRun(fixture.engine, id, { actor: ada });
  await waitUntil(async () => (await nodes(id)).includes('implement#2 unchanged'), { timeoutMs: 5_000 });
  await fixture.reaches(id, 'parked');
  await follows(id);
  await sendMessage(fixture.engine, id, { id: randomIds(), text: 'do something', actor: ada, now: false });
  await waitUntil(async () => (await nodes(id)).includes('check#1 error'), { timeoutMs: 5_000 });
  await fixture.reaches(id, 'parked');
  await follows(id);
  await retryRun(fixture.engine, id, { actor: ada });
  // The check fails and leads past the bound of implement.
  await waitUntil(async () => (await nodes(id)).includes('check#2 fail'), { timeoutMs: 5_000 });
  await fixture.reaches(id, 'parked');
  await follows(id);
  await retryRun(fixture.engine, id, { actor: ada });
  await waitUntil(async () => (await nodes(id)).includes('ask#1 null'), { timeoutMs: 5_000 });
  await retryRun(fixture.engine, id, { from: 'check', actor: ada });
  await waitUntil(async () => (await nodes(id)).includes('ask#2 null'), { timeoutMs: 5_000 });
  await decide(fixture.engine, id, { choice: 'fine', actor: ada });
  await fixture.reaches(id, 'succeeded');
  await follows(id);
});
