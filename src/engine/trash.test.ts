import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { waitUntil } from '../lib/wait-until.ts';
import { runRef, trashRef } from '../workspaces/git-store.ts';
import { cancelRun } from './cancel.ts';
import { decide } from './decide.ts';
import { BASE, commitId } from './fixture/commits.ts';
import { type EngineFixture, engineFixture } from './fixture/engine-fixture.ts';
import { gate, hang } from './fixture/script.ts';
import type { TestWorker } from './fixture/worker.ts';
import { discardRun, restoreRun } from './trash.ts';

let fixture: EngineFixture;
let worker: TestWorker;

beforeAll(async () => {
  fixture = await engineFixture();
  worker = await fixture.worker();
});

beforeEach(() => {
  fixture.script.clear();
  fixture.workspaces.whileRemoving = async () => undefined;
});

afterAll(async () => {
  const { log } = worker;
  await fixture[Symbol.asyncDispose]();
  expect(log.filter((line) => !line.includes('no such repository'))).toEqual([]);
});

const ada = { kind: 'person', name: 'ada' } as const;
const discard = (id: string) => discardRun(fixture.engine, id, ada);
const restore = (id: string) => restoreRun(fixture.engine, id, ada);
const answer = (id: string, choice?: string) => decide(fixture.engine, id, { choice, actor: ada });
const APPROVALS = 'on: { approved: done, changes: work, abandoned: abandoned }';
const REVIEWED = `
start: work
nodes:
  work: { agent: codex, next: review, on: { unchanged: failed }, max: 9 }
  review: { approval: reviewer, ${APPROVALS} }
`;

/** A run that waits at its approval, with a delivered branch. */
async function delivered(): Promise<{ id: string; head: string; branch: string }> {
  fixture.script.on('work', async (context) => {
    const { head } = await (await context.workspace()).collect(context.commitText());
    await context.forge.publish({ branch: `switchyard/${context.run.slug}`, commit: head, expected: undefined });
    fixture.store.refs.set(runRef(context.run.id, 'head'), head);
    return { kind: 'outcome', outcome: 'done', outputs: { delivered: head } };
  });
  const id = await fixture.start(REVIEWED);
  await fixture.reaches(id, 'parked');
  const { head, slug } = await fixture.run(id);
  return { id, head, branch: `switchyard/${slug}` };
}

const noEffects = () =>
  waitUntil(
    async () => (await fixture.engine.database.query('select 1 from outbox where done_at is null')).length === 0,
    { timeoutMs: 10_000 },
  );

test('a discarded run keeps all its commits, in the trash, and gives up its branch and its workspace', async () => {
  const { id, head, branch } = await delivered();
  const { refs } = fixture.store;
  await discard(id);
  await noEffects();
  expect((await fixture.run(id)).state).toEqual({ kind: 'discarded' });
  expect(refs.get(trashRef(id, 'head'))).toBe(head);
  expect(refs.has(runRef(id, 'head'))).toBe(false);
  expect(fixture.forge.branches.has(branch)).toBe(false);
  expect(await fixture.workspaces.list()).not.toContain(id);

  await discard(id);
  await restore(id);
  await noEffects();
  expect(await fixture.run(id)).toMatchObject({
    state: { kind: 'parked', reason: { code: 'approval/wanted' } },
    ended_at: null,
    state_before: null,
    delivered: head,
  });
  expect(refs.get(runRef(id, 'head'))).toBe(head);
  expect(refs.has(trashRef(id, 'head'))).toBe(false);
  expect(fixture.forge.branches.get(branch)).toBe(head);
  expect(await answer(id)).toMatchObject({ kind: 'succeeded' });
});

test('an approval that was answered with abandoned is asked again when the run is restored', async () => {
  const { id } = await delivered();
  expect(await answer(id, 'abandoned')).toEqual({ kind: 'discarded' });
  expect((await fixture.steps(id)).at(-1)).toMatchObject({ state: 'ended', outcome: 'abandoned' });
  await restore(id);
  expect((await fixture.steps(id)).at(-1)).toMatchObject({ state: 'running', outcome: null, ended_at: null });
  await answer(id, 'changes');
  await fixture.reaches(id, 'parked');
  expect((await fixture.steps(id)).map((step) => step.outcome)).toEqual(['done', 'changes', 'done', null]);
  await answer(id);
});

test('abandoning where the approval itself does not offer it is discarding, and comes back likewise', async () => {
  const id = await fixture.start(
    'start: ask\nnodes:\n  ask: { approval: requester, choices: [go, stop], on: { go: done, stop: failed } }',
  );
  await fixture.reaches(id, 'parked');
  expect(await answer(id, 'abandoned')).toEqual({ kind: 'discarded' });
  await restore(id);
  expect(await fixture.reaches(id, 'parked')).toMatchObject({
    needs: { choices: ['go', 'stop', 'retry', 'abandoned'] },
  });
  expect(await answer(id, 'go')).toMatchObject({ kind: 'succeeded' });
});

test('a run that ended, or was parked by an error, is discarded and comes back as it was', async () => {
  fixture.script.on('work', async () => {
    throw new Error('no');
  });
  const parked = await fixture.start(REVIEWED);
  await fixture.reaches(parked, 'parked');
  await answer(parked, 'abandoned');
  await restore(parked);
  expect(await fixture.reaches(parked, 'parked')).toMatchObject({ reason: { code: 'step/error' } });

  const cancelled = await fixture.start(REVIEWED);
  await fixture.reaches(cancelled, 'parked');
  await cancelRun(fixture.engine, cancelled, ada);
  await discard(cancelled);
  await restore(cancelled);
  expect((await fixture.run(cancelled)).state).toEqual({ kind: 'cancelled' });
  await expect(restore(cancelled)).rejects.toMatchObject({ code: 'run/not-discarded' });
});

test('a run that is being worked on is not discarded', async () => {
  fixture.script.on('work', hang);
  const id = await fixture.start(REVIEWED);
  await waitUntil(async () => (await fixture.run(id)).state.kind === 'running', { timeoutMs: 5_000 });
  await expect(discard(id)).rejects.toMatchObject({ code: 'run/working' });
  await cancelRun(fixture.engine, id, ada);
  await fixture.reaches(id, 'cancelled');
});

test('a branch that somebody has made meanwhile stays theirs', async () => {
  const { id, branch } = await delivered();
  await discard(id);
  await noEffects();
  fixture.forge.branches.set(branch, commitId('theirs'));
  await restore(id);
  await noEffects();
  expect(fixture.forge.branches.get(branch)).toBe(commitId('theirs'));
  expect((await fixture.run(id)).delivered).toBeNull();
});

test('a restored run is not worked on before its refs are back, nor while its workspace is being removed', async () => {
  const { id } = await delivered();
  const removing = Promise.withResolvers<void>();
  fixture.workspaces.whileRemoving = () => removing.promise;
  await discard(id);
  const { did } = fixture.workspaces;
  await waitUntil(() => did.includes(`remove ${id}`), { timeoutMs: 5_000 });
  await restore(id);
  await answer(id, 'changes');
  const opened = () => did.filter((what) => what === `open ${id}`).length;
  const [waiting] = (await fixture.steps(id)).filter((step) => step.state !== 'ended');
  expect(waiting).toMatchObject({ node: 'work', n: 2, state: 'waiting' });
  expect(opened()).toBe(1);
  removing.resolve();
  await fixture.reaches(id, 'parked');
  expect(opened()).toBe(2);
  expect(did.indexOf(`remove ${id}`)).toBeLessThan(did.lastIndexOf(`open ${id}`));
  await answer(id);
});

test('a workspace is not removed from under a run that was taken up again', async () => {
  const { id } = await delivered();
  const { database } = fixture.engine;
  // An effect of an earlier discard comes late.
  const place = gate({ kind: 'outcome', outcome: 'done' });
  fixture.script.on('work', place.behaviour);
  await answer(id, 'changes');
  await waitUntil(() => place.arrived === 1, { timeoutMs: 5_000 });
  await database.query(
    `insert into outbox (id, run, kind, worker, created_at) values ('late', $1, 'remove-workspace', 'w1', now())`,
    [id],
  );
  await database.query(`select pg_notify('switchyard_outbox', '')`);
  await noEffects();
  expect(fixture.workspaces.did).not.toContain(`remove ${id}`);
  place.open();
  await fixture.reaches(id, 'parked');
  await answer(id);
});

test('an effect that fails is tried again, holds up the later ones of its run and no other, and is done in order', async () => {
  const first = await delivered();
  const second = await delivered();
  const { host } = worker;
  const done: string[] = [];
  let failures = 0;
  const { moveToTrash, restoreFromTrash } = fixture.store;
  const broken = {
    ...fixture.store,
    async moveToTrash(run: string) {
      if (run === first.id && ++failures <= 2) throw new Error('no such repository');
      done.push(`trash ${run}`);
      return moveToTrash(run);
    },
    async restoreFromTrash(run: string) {
      done.push(`restore ${run}`);
      return restoreFromTrash(run);
    },
  };
  const { openStore } = host;
  Object.assign(host, { openStore: async () => broken });
  await discard(first.id);
  await waitUntil(() => failures > 0, { timeoutMs: 5_000 });
  await discard(second.id);
  await waitUntil(() => done.includes(`trash ${second.id}`), { timeoutMs: 5_000 });
  expect(done).toEqual([`trash ${second.id}`]);
  expect(fixture.workspaces.did).not.toContain(`remove ${first.id}`);
  const { database } = fixture.engine;
  const again = async () => {
    await database.query(
      `update outbox set retry_at = now() where done_at is null and retry_at > now() and retry_at < now() + interval '5 s'`,
    );
    await database.query(`select pg_notify('switchyard_outbox', '')`);
    return fixture.workspaces.did.includes(`remove ${first.id}`);
  };
  await waitUntil(again, { timeoutMs: 10_000, everyMs: 50 });
  await restore(first.id);
  await noEffects();
  expect(done).toEqual([`trash ${second.id}`, `trash ${first.id}`, `restore ${first.id}`]);
  expect(failures).toBe(3);
  Object.assign(host, { openStore });
});

test('an effect that a dead worker had begun is done by another, and by itself when it comes back', async () => {
  const { id, head } = await delivered();
  const { database } = fixture.engine;
  await database.query(
    `insert into outbox (id, run, kind, worker, taken_by, created_at) values ('begun', $1, 'trash', null, 'gone', now())`,
    [id],
  );
  await database.query(`update run set state = '{"kind":"discarded"}' where id = $1`, [id]);
  await database.query(`insert into worker values ('gone', 'm', 1, 'v', now(), now())`);
  await database.query(`select pg_notify('switchyard_outbox', '')`);
  const other = await fixture.start(REVIEWED);
  await fixture.reaches(other, 'parked');
  expect(fixture.store.refs.has(trashRef(id, 'head'))).toBe(false);
  await database.query(`update worker set heartbeat_at = 'epoch' where id = 'gone'`);
  await database.query(`select pg_notify('switchyard_outbox', '')`);
  await noEffects();
  expect(fixture.store.refs.get(trashRef(id, 'head'))).toBe(head);
  expect(BASE).not.toBe(head);
});
