import { readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeCommit } from '../lib/git/commits.ts';
import type { Workspace } from '../ports/workspace.ts';
import { plainGit } from '../testing/temp-repository.ts';
import { agentIn, exists, type Fixture, fixture, IDENTITY, TEXT } from './fixture.ts';
import { openGitStore, runRef } from './git-store.ts';
import { sourceObjects, sourceOf } from './source-objects.ts';

/** All objects that git in a workspace can name. */
async function readable(folder: string): Promise<string[]> {
  const told = await plainGit(folder, 'cat-file', '--batch-all-objects', '--batch-check=%(objectname)');
  return told.split('\n');
}

const packs = async (at: Fixture, run: string): Promise<string[]> =>
  (await readdir(join(at.workspaces.layoutOf(run).objects, 'pack'))).filter((name) => name.endsWith('.pack'));

const isWhole = (folder: string): Promise<string> => plainGit(folder, 'fsck', '--full', '--strict');

test("an agent reads its own run's commits, and nothing that another run has made", async () => {
  await using at = await fixture({ 'a.txt': 'a\n' });
  const { workspace: other } = await at.open({ run: 'r2', slug: 'other' });
  const theirs = await agentIn(other.folder).commit({ 'b.txt': 'theirs\n' }, 'Theirs');
  await other.collect(TEXT);
  await agentIn(other.folder).write({ 'c.txt': 'not committed\n' });
  await other.checkpoint();
  const { workspace } = await at.open();
  const agent = agentIn(workspace.folder);
  await agent.commit({ 'd.txt': 'mine\n' }, 'Mine');
  await agent.write({ 'e.txt': 'more\n' });
  await workspace.collect(TEXT);
  expect(await agent.git('show', 'HEAD:e.txt', 'HEAD~1:d.txt', 'refs/switchyard/base:a.txt')).toBe('more\nmine\na');
  await isWhole(workspace.folder);
  const seen = await readable(workspace.folder);
  const blobs = await plainGit(other.folder, 'hash-object', 'b.txt', 'c.txt');
  for (const id of [theirs, other.head, ...blobs.split('\n')]) {
    expect(await plainGit(at.store.path, 'cat-file', '-t', id)).toMatch(/blob|commit/);
    expect(seen).not.toContain(id);
  }
});

test('the same where the store has packs of its own', async () => {
  await using at = await fixture({ 'a.txt': 'a\n' });
  const { workspace: other } = await at.open({ run: 'r2', slug: 'other' });
  await agentIn(other.folder).write({ 'b.txt': 'theirs\n' });
  await other.collect(TEXT);
  const { workspace } = await at.open();
  const agent = agentIn(workspace.folder);
  await agent.write({ 'c.txt': 'c\n' });
  await workspace.collect(TEXT);
  expect(await packs(at, 'r1')).toEqual([]);
  await plainGit(at.store.path, 'gc', '--quiet', '--prune=now');
  await agent.write({ 'd.txt': 'd\n' });
  const { head } = await workspace.collect(TEXT);
  expect(await packs(at, 'r1')).toHaveLength(1);
  const { workspace: again } = await at.elsewhere({ head, attempt: 2 });
  for (const { folder } of [workspace, again]) {
    await isWhole(folder);
    expect(await agentIn(folder).git('show', 'HEAD:d.txt', 'HEAD~1:c.txt')).toBe('d\nc');
    expect(await readable(folder)).not.toContain(other.head);
  }
});

test('a workspace at a commit of the person has nothing packed for it', async () => {
  await using at = await fixture();
  await at.open();
  expect(await packs(at, 'r1')).toEqual([]);
});

test("a workspace that is made again shows what the run's steps before have done, committed or kept by a checkpoint", async () => {
  await using at = await fixture({ 'a.txt': 'a\n' });
  const { workspace } = await at.open();
  const agent = agentIn(workspace.folder);
  await agent.write({ 'b.txt': 'b\n' });
  const { head } = await workspace.collect(TEXT);
  await agent.write({ 'c.txt': 'c\n' });
  const checkpoint = await workspace.checkpoint();
  const { workspace: again } = await at.elsewhere({ head, checkpoint, attempt: 2 });
  const other = agentIn(again.folder);
  await isWhole(again.folder);
  expect(await other.git('show', 'HEAD:b.txt', ':c.txt')).toBe('b\nc');
  expect(await other.commit({ 'd.txt': 'd\n' }, 'More')).toHaveLength(40);
});

test('a fork shows what it goes on from, and not what the other run does after', async () => {
  await using at = await fixture();
  const { workspace: other } = await at.open({ run: 'r2', slug: 'other' });
  await agentIn(other.folder).write({ 'b.txt': 'before\n' });
  const { head } = await other.collect(TEXT);
  await agentIn(other.folder).write({ 'b.txt': 'after\n' });
  const { head: later } = await other.collect(TEXT);
  const { workspace } = await at.open({ head });
  expect(await agentIn(workspace.folder).git('show', 'HEAD:b.txt')).toBe('before');
  expect(await readable(workspace.folder)).not.toContain(later);
});

test("a run that moves on to another head, after its commits were put on top of the target's, sees all of it", async () => {
  await using at = await fixture({ 'a.txt': 'a\n' });
  const { workspace } = await at.open();
  await agentIn(workspace.folder).write({ 'b.txt': 'b\n' });
  await workspace.collect(TEXT);
  await at.repository.commit({ 'c.txt': 'c\n' });
  const target = await at.store.fetchCommit('main');
  const tree = await plainGit(at.store.path, 'merge-tree', '--write-tree', target, workspace.head);
  const someone = { ...IDENTITY, date: '0 +0000' };
  const head = await writeCommit(at.store.path, {
    tree,
    parents: [target],
    author: someone,
    committer: someone,
    message: 'x',
  });
  const { workspace: moved } = await at.open({ head, reuse: true, attempt: 2 });
  await isWhole(moved.folder);
  expect(await agentIn(moved.folder).git('show', 'HEAD:b.txt', 'HEAD:c.txt')).toBe('b\nc');
});

test('a base that holds what a person had not committed is seen by its own run alone', async () => {
  await using at = await fixture();
  await writeFile(at.canary, 'draft\n');
  const blob = await plainGit(at.store.path, 'hash-object', '-w', at.canary);
  await plainGit(at.store.path, 'update-index', '--add', '--cacheinfo', `100644,${blob},draft.txt`);
  const tree = await plainGit(at.store.path, 'write-tree');
  const someone = { ...IDENTITY, date: '0 +0000' };
  const dirty = await writeCommit(at.store.path, {
    tree,
    parents: [at.base],
    author: someone,
    committer: someone,
    message: 'x',
  });
  await at.store.keep(runRef('r1', 'base'), dirty);
  const { workspace } = await at.open({ head: dirty, base: dirty });
  expect(await agentIn(workspace.folder).git('show', 'refs/switchyard/base:draft.txt')).toBe('draft');
  await isWhole(workspace.folder);
  const { workspace: other } = await at.open({ run: 'r2', slug: 'other' });
  expect(await readable(other.folder)).not.toContain(blob);
});

/** A store as an earlier build left it, with everything among its own objects. */
async function asBefore(at: Fixture) {
  const { path } = at.store;
  const args = ['fetch', '--quiet', '--no-tags', at.repository.path, `main:refs/switchyard/fetched/${at.base}`];
  await rm(join(path, 'objects/info/alternates'));
  await rm(sourceOf(path), { recursive: true });
  await plainGit(path, 'update-ref', '-d', `refs/switchyard/fetched/${at.base}`);
  await plainGit(path, ...args);
  return openGitStore({ folder: join(path, '..'), repositoryPath: at.repository.path });
}

test('a store of an earlier build goes on: what was fetched comes to its place when it is wanted', async () => {
  await using at = await fixture();
  const store = await asBefore(at);
  expect(await store.hasFetched(at.base)).toBe(false);
  const { workspace } = await at.open({ store });
  await isWhole(workspace.folder);
  expect(await store.hasFetched(at.base)).toBe(true);
  expect(await packs(at, 'r1')).toEqual([]);
  expect(await readdir(sourceObjects(store.path))).not.toHaveLength(0);
});

test('a store of an earlier build goes on even where the repository has lost the base of a run', async () => {
  await using at = await fixture();
  const store = await asBefore(at);
  await at.repository.git('checkout', '--quiet', '--orphan', 'other');
  await at.repository.git('commit', '--quiet', '-m', 'Other');
  await at.repository.git('branch', '-D', 'main');
  await at.repository.git('reflog', 'expire', '--expire=now', '--all');
  await at.repository.git('gc', '--quiet', '--prune=now');
  const { workspace } = await at.open({ store });
  expect(await agentIn(workspace.folder).git('log', '-1', '--format=%H')).toBe(at.base);
  await isWhole(workspace.folder);
  await agentIn(workspace.folder).write({ 'b.txt': 'b\n' });
  await workspace.collect(TEXT);
  await isWhole(workspace.folder);
});

/** A workspace as an earlier build left it, whose agent's git borrowed from the whole store, after some work. */
async function workspaceAsBefore(at: Fixture, work: (workspace: Workspace) => Promise<void>): Promise<string> {
  const { workspace } = await at.open();
  const { objects, marker, tree } = at.workspaces.layoutOf('r1');
  await writeFile(join(tree, '.git/objects/info/alternates'), `${join(at.store.path, 'objects')}\n`);
  await work(workspace);
  const { shows, ...rest } = JSON.parse(await readFile(marker, 'utf8')) as { shows: string };
  expect(shows).toBe('own');
  await writeFile(marker, JSON.stringify(rest));
  await rm(objects, { recursive: true });
  return tree;
}

test('a workspace of an earlier build keeps what its agent has committed and staged', async () => {
  await using at = await fixture({ 'a.txt': 'a\n' });
  const tree = await workspaceAsBefore(at, async (workspace) => {
    const agent = agentIn(workspace.folder);
    await agent.commit({ 'b.txt': 'b\n' }, 'Mine');
    await agent.write({ 'c.txt': 'staged\n' });
    await workspace.checkpoint();
    await agent.git('add', 'c.txt');
  });
  const agent = agentIn(tree);
  const commit = await agent.git('rev-parse', 'HEAD');
  const { workspace, notes } = await at.open({ reuse: true, attempt: 2 });
  expect(notes).toEqual([]);
  const alternates = await readFile(join(tree, '.git/objects/info/alternates'), 'utf8');
  expect(alternates.split('\n')).toEqual([sourceObjects(at.store.path), at.workspaces.layoutOf('r1').objects, '']);
  expect(await agent.git('rev-parse', 'HEAD')).toBe(commit);
  expect(await agent.git('show', ':c.txt')).toBe('staged');
  await isWhole(tree);
  const { head } = await workspace.collect(TEXT);
  expect(await plainGit(at.store.path, 'log', '--format=%s', head, `^${at.base}`)).toBe('Do it\nMine');
  await isWhole(tree);
});

test('a workspace of an earlier build whose git directory cannot be kept gets a new one, and its commits are kept', async () => {
  await using at = await fixture({ 'a.txt': 'a\n' });
  const tree = await workspaceAsBefore(at, async (workspace) => {
    await agentIn(workspace.folder).commit({ 'b.txt': 'b\n' }, 'Mine');
  });
  await rename(join(tree, '.git/objects'), join(tree, '.git/moved'));
  await symlink('moved', join(tree, '.git/objects'));
  const { notes } = await at.open({ reuse: true, attempt: 2 });
  expect(notes.join('\n')).toMatch(/made anew.*\n.*kept as refs\/switchyard\/salvage\/r1/);
  await isWhole(tree);
  expect(await exists(join(tree, 'b.txt'))).toBe(true);
});
