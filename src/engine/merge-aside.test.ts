import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { recordEvidence } from '../store/evidence.ts';
import { cancelRun } from './cancel.ts';
import { decide } from './decide.ts';
import { BASE, commitId } from './fixture/commits.ts';
import { type EngineFixture, engineFixture } from './fixture/engine-fixture.ts';
import type { StartFacts } from './fixture/new-run.ts';
import { type Behaviour, outcome } from './fixture/script.ts';
import { mergeRun } from './merge-aside.ts';
import { rememberPublished } from './published.ts';
import { discardRun, restoreRun } from './trash.ts';

let fixture: EngineFixture;

beforeAll(async () => {
  fixture = await engineFixture();
  await fixture.worker();
});

beforeEach(() => {
  fixture.script.clear();
  fixture.script.on('work', async (context) => {
    const { head } = await (await context.workspace()).collect(context.commitText());
    return { kind: 'outcome', outcome: 'delivered', outputs: { delivered: head } };
  });
  fixture.script.on('merge', merging);
});

afterAll(() => fixture[Symbol.asyncDispose]());

const ada = { kind: 'person', name: 'ada' } as const;
const merge = (id: string, more: { to?: string; push?: boolean } = {}) =>
  mergeRun(fixture.engine, id, { push: false, actor: ada, ...more });
const MERGED = { target: 'main', commit: commitId('merged'), tree: commitId('tree') };
const merging: Behaviour = outcome('merged', { merged: MERGED, outputs: { commit: MERGED.commit } });
const collecting: Behaviour = async (context) => {
  await (await context.workspace()).collect(context.commitText());
  return { kind: 'outcome', outcome: 'done' };
};
const DELIVERED = 'start: work\nnodes:\n  work: { deliver: branch, next: done }';
const approval = (more: string) =>
  `start: work\nnodes:\n  work: { deliver: branch, next: ask }\n  ask: { approval: reviewer, ${more} }`;
const nodes = async (id: string) => (await fixture.steps(id)).map((step) => `${step.node}#${step.n} ${step.outcome}`);

async function delivered(text = DELIVERED, facts: StartFacts = {}): Promise<string> {
  const id = await fixture.start(text, facts);
  await fixture.reaches(id, 'succeeded', 'parked');
  return id;
}

test('a delivered head is merged after the end of its run, once', async () => {
  const id = await delivered();
  fixture.script.on('merge', async (context) => {
    expect(context.step.fields).toEqual({ deliver: 'merge', to: 'next', push: true });
    expect(context.run.head).toBe(context.run.delivered);
    return merging(context);
  });
  expect(await merge(id, { to: 'next', push: true })).toMatchObject({
    kind: 'working',
    run: { state: { kind: 'running' }, ended_at: null },
  });
  expect(await fixture.reaches(id, 'succeeded')).toEqual({ kind: 'succeeded', end: 'merged' });
  expect(await fixture.run(id)).toMatchObject({ merged: MERGED, ended_at: expect.any(Date) as Date });
  expect(await nodes(id)).toEqual(['work#1 delivered', 'merge#1 merged']);
  expect(await merge(id)).toMatchObject({ kind: 'already' });
  expect((await fixture.events(id)).filter((event) => event.kind === 'run.merged')).toHaveLength(1);
});

test('two who ask for the merge at once get one, and both are told that it goes on', async () => {
  const id = await delivered();
  const { promise: goOn, resolve: letGo } = Promise.withResolvers<void>();
  fixture.script.on('merge', async (context) => {
    await goOn;
    return merging(context);
  });
  const answers = await Promise.all([merge(id), merge(id), merge(id)]);
  expect(answers.map(({ kind }) => kind).toSorted()).toEqual(['under-way', 'under-way', 'working']);
  await expect(merge(id, { to: 'next' })).rejects.toMatchObject({ code: 'merge/under-way' });
  await expect(merge(id, { push: true })).rejects.toMatchObject({ code: 'merge/under-way' });
  letGo();
  await fixture.reaches(id, 'succeeded');
  expect(await nodes(id)).toEqual(['work#1 delivered', 'merge#1 merged']);
});

test('a merge of the blueprint’s own that is at work is waited for, too', async () => {
  const { promise: goOn, resolve: letGo } = Promise.withResolvers<void>();
  fixture.script.on('land', async (context) => {
    await goOn;
    return merging(context);
  });
  const id = await fixture.start('start: land\nnodes:\n  land: { deliver: merge, next: done }');
  expect(await merge(id)).toMatchObject({ kind: 'under-way' });
  letGo();
  await fixture.reaches(id, 'succeeded');
  expect(await nodes(id)).toEqual(['land#1 merged']);
});

test('what cannot be merged is refused, with what to do', async () => {
  const nothing = await fixture.start(
    'start: check\nnodes:\n  check: { command: x, next: done, on: { fail: failed } }',
  );
  await fixture.reaches(nothing, 'succeeded');
  await expect(merge(nothing)).rejects.toMatchObject({
    code: 'merge/not-delivered',
    message: expect.stringContaining('has delivered nothing') as string,
  });

  const loose = await delivered(DELIVERED, { target: null });
  await expect(merge(loose)).rejects.toMatchObject({ code: 'merge/no-target' });
  await merge(loose, { to: 'main' });
  await fixture.reaches(loose, 'succeeded');

  const discarded = await delivered();
  await discardRun(fixture.engine, discarded, ada);
  await expect(merge(discarded)).rejects.toMatchObject({
    code: 'merge/not-delivered',
    hint: expect.stringContaining('switchyard restore') as string,
  });
});

test('a branch that a person was given is no delivery', async () => {
  fixture.script.on('implement', collecting);
  const id = await fixture.start(
    'start: implement\nnodes:\n  implement: { agent: default, next: done, on: { unchanged: park } }',
  );
  await fixture.reaches(id, 'succeeded');
  const { head } = await fixture.run(id);
  await rememberPublished(fixture.engine, id, { commit: head, before: null });
  expect(await fixture.run(id)).toMatchObject({ delivered: head, mergeable: null });
  await expect(merge(id)).rejects.toMatchObject({
    code: 'merge/not-delivered',
    message: expect.stringContaining('has delivered nothing') as string,
  });
});

test('what an agent has done since the delivery is not merged before it is delivered, too', async () => {
  fixture.script.on('more', collecting);
  const nodes = 'work: { deliver: branch, next: more }\n  more: { agent: default, next: ask, on: { unchanged: park } }';
  const asks = 'ask: { approval: reviewer, on: { approved: done, changes: failed, abandoned: abandoned } }';
  const id = await delivered(`start: work\nnodes:\n  ${nodes}\n  ${asks}`);
  const { head, mergeable } = await fixture.run(id);
  expect(mergeable).not.toBe(head);
  await rememberPublished(fixture.engine, id, { commit: head, before: mergeable });
  await expect(merge(id)).rejects.toMatchObject({
    code: 'merge/not-delivered',
    message: expect.stringContaining(`${mergeable?.slice(0, 12)}, not its present head ${head.slice(0, 12)}`) as string,
  });
  expect((await fixture.run(id)).state.kind).toBe('parked');
});

test('a delivered head that a merge in vain has put on top of its target stays a delivered one', async () => {
  const id = await delivered();
  fixture.script.on('merge', async (context) => {
    await collecting(context);
    return { kind: 'outcome', outcome: 'conflict', park: { code: 'merge/checkout-dirty', needs: 'checkout' } };
  });
  const before = (await fixture.run(id)).head;
  await merge(id);
  await fixture.reaches(id, 'parked');
  await cancelRun(fixture.engine, id, ada);
  expect((await fixture.run(id)).head).not.toBe(before);
  fixture.script.on('merge', merging);
  await merge(id);
  await fixture.reaches(id, 'succeeded');
});

test('red checks on the head refuse the merge, before anything is approved', async () => {
  const id = await delivered(approval('on: { approved: done, changes: failed, abandoned: abandoned }'));
  const { head } = await fixture.run(id);
  const evidence = { commit: head, tree: head, kind: 'test', items: [], report: '', durationMs: 1 };
  const { database } = fixture.engine;
  await recordEvidence(database, id, { ...evidence, name: 'lint', verdict: 'pass' }, new Date());
  await recordEvidence(database, id, { ...evidence, name: 'test', verdict: 'fail' }, new Date());
  await recordEvidence(database, id, { ...evidence, commit: BASE, name: 'build', verdict: 'fail' }, new Date());
  await expect(merge(id)).rejects.toMatchObject({
    code: 'merge/red-checks',
    message: expect.stringMatching(/red: test\.$/) as string,
  });
  expect((await fixture.run(id)).state.kind).toBe('parked');
  await recordEvidence(database, id, { ...evidence, name: 'test', verdict: 'pass' }, new Date());
  await merge(id);
  await fixture.reaches(id, 'succeeded');
});

test('merging at an approval approves it, and goes the blueprint’s own way where there is more to do', async () => {
  const ends = await delivered(approval('on: { approved: done, changes: failed, abandoned: abandoned }'));
  await merge(ends);
  await fixture.reaches(ends, 'succeeded');
  expect(await nodes(ends)).toEqual(['work#1 delivered', 'ask#1 approved', 'merge#1 merged']);

  const own = await delivered(
    `${approval('on: { approved: land, changes: failed, abandoned: abandoned }')}\n  land: { deliver: merge, next: done }`,
  );
  fixture.script.on('land', merging);
  await merge(own);
  await fixture.reaches(own, 'succeeded');
  expect(await nodes(own)).toEqual(['work#1 delivered', 'ask#1 approved', 'land#1 merged']);
});

test('merging at a question that has no approval in it ends the question', async () => {
  const id = await delivered(approval('choices: [left, right], on: { left: done, right: done }'));
  await merge(id);
  await fixture.reaches(id, 'succeeded');
  expect(await nodes(id)).toEqual(['work#1 delivered', 'ask#1 merge', 'merge#1 merged']);
});

test('a merge that cannot be done parks the run, and merging or retrying tries again', async () => {
  const id = await delivered();
  fixture.script.on(
    'merge',
    outcome('conflict', {
      detail: 'a.txt is in the way',
      park: { code: 'merge/checkout-dirty', needs: 'checkout', files: ['a.txt'] },
    }),
  );
  await merge(id, { to: 'next' });
  expect(await fixture.reaches(id, 'parked')).toMatchObject({
    reason: { code: 'merge/checkout-dirty', message: 'a.txt is in the way' },
    needs: { kind: 'checkout', files: ['a.txt'], choices: ['retry', 'abandoned'] },
  });
  await decide(fixture.engine, id, { choice: 'retry', actor: ada });
  await fixture.reaches(id, 'parked');
  fixture.script.on('merge', async (context) => {
    expect(context.step.fields).toMatchObject({ to: 'next' });
    return merging(context);
  });
  await merge(id);
  await fixture.reaches(id, 'succeeded');
  expect(await nodes(id)).toEqual(['work#1 delivered', 'merge#1 conflict', 'merge#2 conflict', 'merge#3 merged']);
});

test('a run that parked at a merge of its own is tried again there', async () => {
  fixture.script.on('land', outcome('conflict', { park: { code: 'merge/conflict', needs: 'conflict' } }), merging);
  const id = await delivered(
    'start: work\nnodes:\n  work: { deliver: branch, next: land }\n  land: { deliver: merge, next: done }',
  );
  expect((await fixture.run(id)).state).toMatchObject({ kind: 'parked', reason: { code: 'merge/conflict' } });
  await merge(id);
  await fixture.reaches(id, 'succeeded');
  expect(await nodes(id)).toEqual(['work#1 delivered', 'land#1 conflict', 'land#2 merged']);
});

test('a run that parked at a merge of its own goes to another branch when asked, and on from there', async () => {
  const conflict = outcome('conflict', { park: { code: 'merge/conflict', needs: 'conflict' } });
  fixture.script.on('land', conflict, async (context) => {
    expect(context.run).toMatchObject({ target: 'next', push: true });
    return merging(context);
  });
  fixture.script.on('more', outcome('delivered'));
  const id = await delivered(
    'start: work\nnodes:\n  work: { deliver: branch, next: land }\n  land: { deliver: merge, next: more }\n  more: { deliver: branch, next: done }',
  );
  await merge(id, { to: 'next', push: true });
  await fixture.reaches(id, 'succeeded');
  expect(await nodes(id)).toEqual(['work#1 delivered', 'land#1 conflict', 'land#2 merged', 'more#1 delivered']);
  expect((await fixture.run(id)).target).toBe('next');
});

test('a merge whose branch the blueprint names is not sent elsewhere: that is refused, and nothing changes', async () => {
  fixture.script.on('land', outcome('conflict', { park: { code: 'merge/conflict', needs: 'conflict' } }));
  const id = await delivered(
    'start: work\nnodes:\n  work: { deliver: branch, next: land }\n  land: { deliver: merge, to: release, next: done }',
  );
  await expect(merge(id, { to: 'next' })).rejects.toMatchObject({
    code: 'merge/own-target',
    message: expect.stringContaining('merges to release itself') as string,
  });
  expect(await fixture.run(id)).toMatchObject({ target: 'main', state: { kind: 'parked' } });
});

test('a merge after the end that is cancelled, discarded or restored leaves the run in order', async () => {
  const id = await delivered();
  fixture.script.on('merge', outcome('rejected'));
  await merge(id);
  await fixture.reaches(id, 'parked');
  await decide(fixture.engine, id, { choice: 'abandoned', actor: ada });
  await restoreRun(fixture.engine, id, ada);
  expect((await fixture.run(id)).state).toMatchObject({ kind: 'parked', reason: { code: 'outcome/rejected' } });
  await cancelRun(fixture.engine, id, ada);
  fixture.script.on('merge', merging);
  await merge(id);
  await fixture.reaches(id, 'succeeded');
  expect(await nodes(id)).toEqual(['work#1 delivered', 'merge#1 rejected', 'merge#2 merged']);
});
