import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { plainSandbox } from '../testing/plain-sandbox.ts';
import { plainWorkspaces } from '../testing/plain-workspaces.ts';
import { agentIn, dyingAt, exists, type Fixture, fixture, TEXT } from './fixture.ts';
import type { OpenRequest } from './workspaces.ts';

const FILES = { 'a.txt': 'a\n', 'dir/b.txt': 'b\n', 'package-lock.json': '{}\n', '.gitignore': 'node_modules\n' };

const EMPTY = 'The pool of ready workspaces was empty: this one was made on the spot.';

const pooled = (at: Fixture, size = 1) => at.another({ provider: plainWorkspaces(), pool: { size } });

test('the first run of a repository has its workspace made and says so, the next one finds a tree ready', async () => {
  await using at = await fixture(FILES);
  const workspaces = pooled(at);
  const first = await workspaces.open(at.request());
  expect(first.notes).toEqual([EMPTY]);
  await workspaces.idle();
  expect(await workspaces.pool()).toEqual({ ready: 1, wanted: 1 });
  const second = await workspaces.open(at.request({ run: 'r2' }));
  expect(second.notes).toEqual([]);
  expect(second.workspace.head).toBe(at.base);
  expect(await second.workspace.changedSince(at.base)).toEqual([]);
  await writeFile(join(second.workspace.folder, 'a.txt'), 'b\n');
  expect(await second.workspace.changedSince(at.base)).toEqual(['a.txt']);
  expect(await agentIn(second.workspace.folder).git('status', '--porcelain')).toBe(' M a.txt');
});

test('a tree of another commit catches up', async () => {
  await using at = await fixture(FILES);
  const workspaces = pooled(at);
  await workspaces.open(at.request());
  await workspaces.idle();
  await at.repository.commit({ 'a.txt': 'A\n', 'new/c.txt': 'c\n' });
  await at.repository.git('rm', '--quiet', 'dir/b.txt');
  await at.repository.git('commit', '--quiet', '-m', 'Less');
  const next = await at.store.fetchCommit('main');
  const { workspace, notes } = await workspaces.open(at.request({ run: 'r2', head: next, base: next }));
  expect(notes).toEqual([]);
  expect(await workspace.changedSince(next)).toEqual([]);
  expect(await agentIn(workspace.folder).read('a.txt')).toBe('A\n');
  expect(await exists(join(workspace.folder, 'dir/b.txt'))).toBe(false);
});

test('what is taken is made up for from the commit that the next run began at, and nothing that a run wrote comes back', async () => {
  await using at = await fixture(FILES);
  const workspaces = pooled(at, 2);
  await workspaces.open(at.request());
  await workspaces.idle();
  const { workspace } = await workspaces.open(at.request({ run: 'r2' }));
  await agentIn(workspace.folder).write({ 'a.txt': 'evil\n', 'node_modules/x': 'evil\n' });
  const { head } = await workspace.collect(TEXT);
  await workspaces.remove('r2');
  await workspaces.open(at.request({ run: 'r3', head, base: at.base }));
  await workspaces.idle();
  expect(await workspaces.pool()).toEqual({ ready: 2, wanted: 2 });
  for (const run of ['r4', 'r5']) {
    const next = await workspaces.open(at.request({ run }));
    expect(next.notes).toEqual([]);
    expect(await agentIn(next.workspace.folder).read('a.txt')).toBe('a\n');
    expect(await exists(join(next.workspace.folder, 'node_modules'))).toBe(false);
  }
});

test('more runs at once than trees are ready have theirs made', async () => {
  await using at = await fixture(FILES);
  const workspaces = pooled(at, 2);
  await workspaces.open(at.request());
  await workspaces.idle();
  const opened = await Promise.all(['r2', 'r3', 'r4', 'r5'].map((run) => workspaces.open(at.request({ run }))));
  for (const { workspace } of opened) expect(await workspace.changedSince(at.base)).toEqual([]);
  const made = opened.filter(({ notes }) => notes.includes(EMPTY)).length;
  expect(made).toBeGreaterThan(0);
  expect(made).toBeLessThan(4);
});

test('what setup makes is laid in them beforehand where it is there', async () => {
  await using at = await fixture(FILES);
  const log = join(at.folder, '../ran');
  const command = `echo ran >>'${log.replaceAll("'", "'\\''")}'; mkdir node_modules && cp package-lock.json node_modules`;
  const setup = { command, env: { PATH: process.env['PATH'] ?? '' }, timeoutMs: 30_000, onOutput: () => undefined };
  const enclose: NonNullable<OpenRequest['enclose']> = () =>
    Promise.resolve({ sandbox: plainSandbox(), setup, [Symbol.asyncDispose]: () => Promise.resolve() });
  const workspaces = pooled(at);
  const { signal } = new AbortController();
  await workspaces.warm({ store: at.store, commit: at.base, setup: enclose, signal });
  await workspaces.open(at.request({ setup, enclose }));
  await workspaces.idle();
  const before = await readFile(log, 'utf8');
  const { workspace, notes } = await workspaces.open(at.request({ run: 'r2', setup, enclose }));
  expect(notes).toEqual([expect.stringContaining('Setup was not run')]);
  expect(await agentIn(workspace.folder).read('node_modules/package-lock.json')).toBe('{}\n');
  expect(await readFile(log, 'utf8')).toBe(before);
  const without = await workspaces.open(at.request({ run: 'r3' }));
  expect(await exists(join(without.workspace.folder, 'node_modules'))).toBe(false);
});

test('none is kept without a size, nor where laying takes the same time for any number of files', async () => {
  await using at = await fixture(FILES);
  for (const [run, workspaces] of [
    ['r1', at.another({ provider: plainWorkspaces() })],
    ['r2', pooled(at, 0)],
  ] as const) {
    expect((await workspaces.open(at.request({ run }))).notes).toEqual([]);
    await workspaces.idle();
    expect(await workspaces.pool()).toEqual({ ready: 0, wanted: 0 });
  }
  const overlay = at.another({ provider: { ...plainWorkspaces(), perFileMs: 0 }, pool: { size: 3 } });
  expect(await overlay.pool()).toEqual({ ready: 0, wanted: 0 });
  expect(await exists(join(at.folder, '.pool'))).toBe(false);
});

test('a later start finds what is ready, and removes what is half made, half taken or of no use any more', async () => {
  await using at = await fixture(FILES);
  const workspaces = pooled(at);
  await workspaces.open(at.request());
  await workspaces.idle();
  const pool = join(at.folder, '.pool', at.store.id);
  await mkdir(join(pool, 'ready-broken'));
  const alive = join(pool, 'draft-alive');
  await mkdir(alive);
  const old = join(at.folder, '.pool', 'old-00000000');
  await mkdir(old);
  await utimes(old, 0, 0);
  const later = pooled(at);
  await later.sweep([]);
  expect((await readdir(pool)).filter((name) => !name.startsWith('ready-'))).toEqual(['draft-alive']);
  expect(await exists(old)).toBe(false);
  expect(await later.pool()).toEqual({ ready: 1, wanted: 1 });
  expect((await later.open(at.request({ run: 'r2' }))).notes).toEqual([]);
  const without = at.another({ provider: plainWorkspaces() });
  await without.sweep([]);
  expect(await exists(pool)).toBe(false);
});

test.each(['workspace.before', 'workspace.after'])('a death at %s leaves nothing in the way', async (point) => {
  await using at = await fixture(FILES);
  const workspaces = pooled(at);
  await workspaces.open(at.request());
  await workspaces.idle();
  const dying = at.another({ provider: plainWorkspaces(), pool: { size: 1 }, crashPoint: dyingAt(point) });
  await expect(dying.open(at.request({ run: 'r2' }))).rejects.toThrow('killed');
  const { workspace } = await workspaces.open(at.request({ run: 'r2', attempt: 2, reuse: true }));
  expect(await workspace.changedSince(at.base)).toEqual([]);
});
