import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Event, EventKind } from '../domain/event.ts';
import { randomIds } from '../lib/ids.ts';
import { decide } from './decide.ts';
import { BASE, commitId } from './fixture/commits.ts';
import { type EngineFixture, engineFixture } from './fixture/engine-fixture.ts';
import { outcome } from './fixture/script.ts';
import { startRun } from './start-run.ts';

let fixture: EngineFixture;

beforeAll(async () => {
  fixture = await engineFixture();
  await fixture.worker();
});

beforeEach(() => fixture.script.clear());

afterAll(() => fixture[Symbol.asyncDispose]());

const ada = { kind: 'person', name: 'ada' } as const;
const approve = (id: string, choice?: string, more: { head?: string; note?: string } = {}) =>
  decide(fixture.engine, id, { choice, actor: ada, ...more });
const kinds = (events: readonly Event[]): EventKind[] => events.map((event) => event.kind);
const nodes = async (id: string) => (await fixture.steps(id)).map((step) => `${step.node}#${step.n} ${step.outcome}`);

const PIPE = `
start: implement
nodes:
  implement: { agent: default, next: check, on: { unchanged: failed } }
  check: { command: x, next: deliver, on: { fail: failed }, with: { said: $implement.summary } }
  deliver: { deliver: branch, next: done }
`;

test('a run goes through its nodes, each once, and says what happened in order', async () => {
  const { script, forge } = fixture;
  script.on('implement', async (context) => {
    const workspace = await context.workspace();
    await workspace.collect(context.commitText());
    await context.emit({ kind: 'agent.text', node: 'implement', n: 1, text: 'working' });
    return { kind: 'outcome', outcome: 'done', outputs: { summary: 'did it' } };
  });
  script.on('check', async (context) => outcome('pass', { outputs: { report: context.step.with } })(context));
  script.on('deliver', async (context) => {
    await context.forge.publish({
      branch: `switchyard/${context.run.slug}`,
      commit: context.run.head,
      expected: undefined,
    });
    return { kind: 'outcome', outcome: 'delivered', outputs: { delivered: context.run.head } };
  });
  const id = await fixture.start(PIPE, { slug: 'three', notes: ['a note'] });
  expect(await fixture.reaches(id, 'succeeded')).toEqual({ kind: 'succeeded', end: 'done' });

  const [implement, check] = await fixture.steps(id);
  const head = commitId(`${id} ${implement?.id} 1 1`);
  expect(await fixture.run(id)).toMatchObject({
    head,
    delivered: head,
    base_commit: BASE,
    ended_at: expect.any(Date) as Date,
  });
  expect(forge.branches.get('switchyard/three')).toBe(head);
  expect(implement).toMatchObject({
    state: 'ended',
    outcome: 'done',
    head,
    worker: 'w1',
    lease: 1,
    outputs: { summary: 'did it' },
  });
  expect(check).toMatchObject({ inputs: { said: 'did it' }, outputs: { report: { said: 'did it' } } });
  const events = await fixture.events(id);
  const step = ['step.started', 'attempt.started', 'attempt.ended', 'step.ended'];
  expect(kinds(events)).toEqual([
    'run.started',
    'message',
    'step.started',
    'attempt.started',
    'agent.text',
    'attempt.ended',
    'step.ended',
    ...step,
    ...step,
    'run.ended',
  ]);
  expect(events.map((event) => event.seq)).toEqual(events.map((_, index) => index + 1));
});

test('starting the same run again changes nothing', async () => {
  const id = randomIds();
  await fixture.start(PIPE, { id, slug: 'again' });
  await fixture.reaches(id, 'succeeded');
  const before = await fixture.events(id);
  await fixture.start(PIPE, { id, slug: 'again' });
  expect(await fixture.events(id)).toEqual(before);
  expect((await fixture.run(id)).slug).toBe('again');
});

test('runs that are started at once under one name all get a name and come to their end', async () => {
  const ids = await Promise.all(Array.from({ length: 12 }, () => fixture.start(PIPE, { slug: 'crowd' })));
  for (const id of ids) await fixture.reaches(id, 'succeeded');
  const slugs = await Promise.all(ids.map(async (id) => (await fixture.run(id)).slug));
  expect(slugs.sort()).toEqual(['crowd', ...Array.from({ length: 11 }, (_, n) => `crowd-${n + 2}`)].sort());
});

const REVIEWED = `
start: implement
nodes:
  implement: { agent: default, next: review, on: { unchanged: failed }, with: { note: $review.feedback }, max: 3 }
  review: { approval: reviewer, on: { approved: done, changes: implement, abandoned: abandoned } }
`;

test('a run waits for a person without a job, and goes on with what the person says', async () => {
  const id = await fixture.start(REVIEWED);
  const parked = await fixture.reaches(id, 'parked');
  expect(parked).toMatchObject({
    reason: { code: 'approval/wanted' },
    needs: { kind: 'approval', choices: ['approved', 'changes', 'abandoned', 'retry'], head: BASE },
  });
  expect((await fixture.steps(id)).map((step) => [step.state, step.job])).toEqual([
    ['ended', expect.any(String)],
    ['running', null],
  ]);
  await approve(id, 'changes', { note: 'smaller, please', head: BASE });
  await fixture.reaches(id, 'parked');
  expect(await nodes(id)).toEqual(['implement#1 done', 'review#1 changes', 'implement#2 done', 'review#2 null']);
  expect((await fixture.steps(id))[2]?.inputs).toEqual({ note: 'smaller, please' });
  expect(await approve(id)).toEqual({ kind: 'succeeded', end: 'done' });
  const last = (await fixture.events(id)).filter((event) => event.kind === 'step.ended').at(-1);
  expect(last).toMatchObject({ node: 'review', n: 2, outcome: 'approved', actor: ada });
});

test('an approval that is to be tried again asks again', async () => {
  const id = await fixture.start(REVIEWED);
  await fixture.reaches(id, 'parked');
  expect(await approve(id, 'retry')).toMatchObject({ kind: 'parked', reason: { code: 'approval/wanted' } });
  expect(await nodes(id)).toEqual(['implement#1 done', 'review#1 null']);
  await approve(id, 'abandoned');
});

test('what is not offered is refused, and so is a head that has moved', async () => {
  const id = await fixture.start(REVIEWED);
  await fixture.reaches(id, 'parked');
  await expect(approve(id, 'merge')).rejects.toMatchObject({
    code: 'decision/choice',
    message: expect.stringContaining('approved, changes') as string,
  });
  for (const head of [commitId('other'), BASE.slice(0, 6), '']) {
    await expect(approve(id, 'approved', { head })).rejects.toMatchObject({ code: 'decision/head-moved' });
  }
  expect(await nodes(id)).toEqual(['implement#1 done', 'review#1 null']);
  await approve(id, 'approved', { head: BASE.slice(0, 7) });
  await expect(approve(id)).rejects.toMatchObject({ code: 'run/not-parked' });
  await expect(approve('unknown')).rejects.toMatchObject({ code: 'run/not-found' });
});

test('of several people who approve at once one is heard', async () => {
  const id = await fixture.start(REVIEWED);
  await fixture.reaches(id, 'parked');
  const answers = await Promise.allSettled(Array.from({ length: 5 }, () => approve(id)));
  expect(answers.filter((answer) => answer.status === 'fulfilled')).toHaveLength(1);
  expect(kinds(await fixture.events(id)).filter((kind) => kind === 'run.ended')).toHaveLength(1);
});

test('approvals that were given in advance are answered on the way, others still wait', async () => {
  const text = `
start: first
nodes:
  first: { approval: requester, on: { approved: second, changes: failed, abandoned: abandoned } }
  second: { approval: requester, on: { approved: implement, changes: failed, abandoned: abandoned } }
  implement: { agent: default, next: own, on: { unchanged: failed }, with: { by: $second.by } }
  own: { approval: requester, choices: [yes-please, no], on: { yes-please: done, no: failed } }
`;
  const id = await fixture.start(text, { settings: { yes: true } });
  expect((await fixture.reaches(id, 'parked')).needs.choices).toEqual(['yes-please', 'no', 'retry', 'abandoned']);
  expect(await nodes(id)).toEqual(['first#1 approved', 'second#1 approved', 'implement#1 done', 'own#1 null']);
  expect((await fixture.steps(id))[2]?.inputs).toEqual({ by: 'ada' });
  expect(await approve(id, 'no')).toMatchObject({ kind: 'failed' });
});

test('a step that throws parks the run with what a person must know, and can be tried again', async () => {
  const { script } = fixture;
  const failing = async () => {
    throw Object.assign(new Error('it broke'), { code: 'x' });
  };
  script.on('fragile', failing, outcome('pass'));
  const id = await fixture.start('start: fragile\nnodes:\n  fragile: { command: x, next: done, on: { fail: failed } }');
  expect(await fixture.reaches(id, 'parked')).toMatchObject({
    reason: { code: 'step/error', message: 'it broke.' },
    needs: { kind: 'error', choices: ['retry', 'abandoned'] },
  });
  expect(await approve(id, 'retry')).toMatchObject({ kind: 'running' });
  await fixture.reaches(id, 'succeeded');
  expect(await nodes(id)).toEqual(['fragile#1 error', 'fragile#2 pass']);
});

test('an outcome that parks says what the step knows of it', async () => {
  const { script } = fixture;
  script.on(
    'merge',
    outcome('conflict', {
      detail: 'both changed a.txt',
      park: { code: 'merge/conflict', needs: 'conflict', files: ['a.txt'] },
    }),
  );
  const id = await fixture.start('start: merge\nnodes:\n  merge: { deliver: merge, next: done }');
  const state = await fixture.reaches(id, 'parked');
  expect(state).toMatchObject({
    reason: { code: 'merge/conflict', message: 'both changed a.txt' },
    needs: { kind: 'conflict', files: ['a.txt'] },
  });
  const parked = (await fixture.events(id)).find((event) => event.kind === 'run.parked');
  expect(parked).toMatchObject({ reason: state.reason, needs: state.needs });
});

test('a bound of the blueprint parks the run, and is granted again', async () => {
  const { script } = fixture;
  script.on('loop', outcome('fail'));
  const text = 'start: loop\nnodes:\n  loop: { command: x, max: 2, next: done, on: { fail: loop } }';
  const id = await fixture.start(text);
  expect(await fixture.reaches(id, 'parked')).toMatchObject({
    reason: { code: 'limit/max', message: 'loop has had its 2 steps (max).' },
    needs: { kind: 'limit' },
  });
  await approve(id, 'retry');
  await fixture.reaches(id, 'parked');
  expect(await nodes(id)).toEqual(['loop#1 fail', 'loop#2 fail', 'loop#3 fail', 'loop#4 fail']);

  const short = await fixture.start(text, { settings: { limits: { steps: 1 } } });
  expect(await fixture.reaches(short, 'parked')).toMatchObject({
    reason: { code: 'limit/steps', message: 'The run has taken its 1 step (limit steps).' },
  });
});

test('an end that abandons discards the run, and one that fails says so', async () => {
  const { script } = fixture;
  script.on('check', outcome('fail'));
  const text = (end: string) => `start: check\nnodes:\n  check: { command: x, next: done, on: { fail: ${end} } }`;
  const failed = await fixture.start(text('failed'));
  expect(await fixture.reaches(failed, 'failed')).toMatchObject({ reason: { code: 'run/failed' } });
  const abandoned = await fixture.start(text('abandoned'));
  expect(await fixture.reaches(abandoned, 'discarded')).toEqual({ kind: 'discarded' });
});

test('a start that cannot be stored leaves nothing', async () => {
  const broken = fixture.blueprint(PIPE);
  const [node] = Object.values(broken.nodes);
  const blueprint = {
    ...broken,
    nodes: { ...broken.nodes, implement: { ...node, kind: 'unknown' } as (typeof broken.nodes)[string] },
  };
  const id = randomIds();
  const { task: _, ...row } = await fixture.run(await fixture.start(PIPE));
  const start = startRun(fixture.engine, {
    id,
    slug: 'broken',
    task: {
      id: 'task-broken',
      title: 'T',
      body: 'T',
      links: [],
      attachments: [],
      repositories: [{ repository: 'repo', baseRef: 'main' }],
      labels: [],
      priority: 0,
      requester: 'ada',
      dependencies: [],
      origin: null,
    },
    repository: { id: 'repo', path: '/repo' },
    blueprint,
    settings: row.settings,
    base: { ref: 'main', commit: BASE },
    target: 'main',
    actor: ada,
    notes: [],
  });
  await expect(start).rejects.toThrow('no kind of node executes unknown');
  await expect(fixture.run(id)).rejects.toMatchObject({ code: 'run/not-found' });
  expect(await fixture.engine.database.query(`select 1 from task where id = 'task-broken'`)).toEqual([]);
});
