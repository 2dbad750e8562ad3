import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { plainGit } from '../testing/temp-repository.ts';
import { agentIn, exists, fixture, TEXT } from './fixture.ts';
import { sparsePatterns } from './sparse.ts';

const FILES = {
  'top.txt': 'top\n',
  'packages/list.txt': 'list\n',
  'packages/a/a.txt': 'a\n',
  'packages/a/deep/d.txt': 'd\n',
  'packages/b/b.txt': 'b\n',
  'shared/s.txt': 's\n',
  'other/o.txt': 'o\n',
};
const sparse = ['packages/a', 'shared'];

async function treeOf(store: string, commit: string): Promise<string[]> {
  return (await plainGit(store, 'ls-tree', '-r', '--name-only', commit)).split('\n');
}

test('the patterns are those that git writes itself', async () => {
  await using at = await fixture(FILES);
  const wanted = ['packages/a', 'shared', 'packages/a/deep', "it's/x y"];
  await at.repository.git('sparse-checkout', 'set', '--cone', ...wanted);
  const own = await readFile(join(at.repository.path, '.git/info/sparse-checkout'), 'utf8');
  expect(sparsePatterns(wanted).split('\n').sort()).toEqual(own.split('\n').sort());
});

test('a workspace has its folders, the files at the top and on the way, and nothing else', async () => {
  await using at = await fixture(FILES);
  const { workspace } = await at.open({ sparse });
  const all = (await readdir(workspace.folder, { recursive: true })).filter((path) => !path.startsWith('.git')).sort();
  expect(all).toEqual([
    'packages',
    'packages/a',
    'packages/a/a.txt',
    'packages/a/deep',
    'packages/a/deep/d.txt',
    'packages/list.txt',
    'shared',
    'shared/s.txt',
    'top.txt',
  ]);
});

test('what is not there is not seen as deleted, and commits keep it', async () => {
  await using at = await fixture(FILES);
  const { workspace } = await at.open({ sparse });
  expect(await workspace.changedSince(at.base)).toEqual([]);
  expect(await workspace.collect(TEXT)).toMatchObject({ changed: false, notes: [] });
  const agent = agentIn(workspace.folder);
  await agent.write({ 'packages/a/a.txt': 'A\n', 'shared/new.txt': 'new\n' });
  await rm(join(workspace.folder, 'packages/a/deep'), { recursive: true });
  const { head } = await workspace.collect(TEXT);
  expect(await treeOf(at.store.path, head)).toEqual([
    'other/o.txt',
    'packages/a/a.txt',
    'packages/b/b.txt',
    'packages/list.txt',
    'shared/new.txt',
    'shared/s.txt',
    'top.txt',
  ]);
  expect(await workspace.changedSince(at.base)).toEqual([
    'packages/a/a.txt',
    'packages/a/deep/d.txt',
    'shared/new.txt',
  ]);
});

test('the agent’s own git sees a clean checkout, and its commits are whole', async () => {
  await using at = await fixture(FILES);
  const { workspace } = await at.open({ sparse });
  const agent = agentIn(workspace.folder);
  expect(await agent.git('status', '--porcelain')).toBe('');
  await agent.commit({ 'packages/a/a.txt': 'by the agent\n' }, 'Mine');
  await agent.git('reset', '--quiet', '--hard');
  expect(await exists(join(workspace.folder, 'other'))).toBe(false);
  const { head } = await workspace.collect(TEXT);
  expect(await treeOf(at.store.path, head)).toEqual(Object.keys(FILES).sort());
});

test('files that are written where the workspace has no folder are work like any other', async () => {
  await using at = await fixture(FILES);
  const { workspace } = await at.open({ sparse });
  await agentIn(workspace.folder).write({ 'other/new.txt': 'new\n', 'other/o.txt': 'changed\n', 'fourth/x': '' });
  const { head, notes } = await workspace.collect(TEXT);
  expect(notes).toEqual([]);
  expect(await treeOf(at.store.path, head)).toEqual([...Object.keys(FILES), 'fourth/x', 'other/new.txt'].sort());
  expect(await plainGit(at.store.path, 'show', `${head}:other/o.txt`)).toBe('changed');
});

test('checkpoints, resets and a workspace that is made again leave out the same folders', async () => {
  await using at = await fixture(FILES);
  const { workspace } = await at.open({ sparse });
  await agentIn(workspace.folder).write({ 'shared/s.txt': 'S\n' });
  const checkpoint = await workspace.checkpoint();
  const again = await at.elsewhere({ sparse, checkpoint });
  expect(await agentIn(again.workspace.folder).read('shared/s.txt')).toBe('S\n');
  expect(await exists(join(again.workspace.folder, 'other'))).toBe(false);
  const { head } = await again.workspace.collect(TEXT);
  expect(await treeOf(at.store.path, head)).toEqual(Object.keys(FILES).sort());
  await again.workspace.reset(at.base);
  expect(await exists(join(again.workspace.folder, 'packages/b'))).toBe(false);
  expect(await again.workspace.changedSince(at.base)).toEqual([]);
});

test('a check’s litter is thrown away, and what is left out stays so', async () => {
  await using at = await fixture(FILES);
  const { workspace } = await at.open({ sparse });
  await agentIn(workspace.folder).write({ 'litter.txt': '', 'other/litter.txt': '', 'shared/s.txt': 'changed\n' });
  expect(await workspace.restore()).toEqual(['litter.txt', 'other/litter.txt', 'shared/s.txt']);
  expect(await workspace.collect(TEXT)).toMatchObject({ changed: false });
  expect(await exists(join(workspace.folder, 'other/litter.txt'))).toBe(false);
});

test('without it the workspace is whole', async () => {
  await using at = await fixture(FILES);
  const { workspace } = await at.open();
  expect(await exists(join(workspace.folder, 'other/o.txt'))).toBe(true);
});
