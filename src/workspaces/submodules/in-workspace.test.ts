import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { plainGit, tempRepository } from '../../testing/temp-repository.ts';
import { agentIn, exists, type Fixture, fixture, TEXT } from '../fixture.ts';

/** A repository with the submodule `libs/lib`, and its first commit with it, in the store. */
async function withSubmodule(): Promise<Fixture & { lib: Awaited<ReturnType<typeof tempRepository>>; commit: string }> {
  const at = await fixture({ 'a.txt': 'a\n' }, { wanted: 'copy' });
  onTestFinished(() => at[Symbol.asyncDispose]());
  const lib = await tempRepository({ 'lib.txt': 'lib\n', 'deep/x.txt': 'x\n', '.gitignore': 'out/\n' });
  onTestFinished(() => lib[Symbol.asyncDispose]());
  await at.repository.git(
    '-c',
    'protocol.file.allow=always',
    'submodule',
    '--quiet',
    'add',
    '--',
    lib.path,
    'libs/lib',
  );
  const commit = await at.repository.commit({}, 'With a submodule');
  await at.store.fetchCommit(commit);
  return { ...at, lib, commit, [Symbol.asyncDispose]: () => at[Symbol.asyncDispose]() };
}

const linkAt = async (at: Fixture, commit: string, path = 'libs/lib') =>
  (await plainGit(at.store.path, 'ls-tree', commit, path)).split(/\s/)[2];

const salvaged = (at: Fixture) => at.store.list('refs/switchyard/salvage/r1/');

test('a workspace has the files of its submodules, which are no repository of their own there', async () => {
  const at = await withSubmodule();
  const { workspace, notes } = await at.open({ head: at.commit, base: at.commit });
  const agent = agentIn(workspace.folder);
  expect(await agent.read('libs/lib/lib.txt')).toBe('lib\n');
  expect(await exists(join(workspace.folder, 'libs/lib/.git'))).toBe(false);
  expect(notes).toEqual([]);
  expect(await agent.git('status', '--porcelain')).toBe('');
  expect(await workspace.collect(TEXT)).toMatchObject({ changed: false, notes: [] });
  expect(await workspace.changedSince(at.commit)).toEqual([]);
});

test('work beside a submodule is taken in, and the submodule stays at its commit', async () => {
  const at = await withSubmodule();
  const { workspace } = await at.open({ head: at.commit, base: at.commit });
  const agent = agentIn(workspace.folder);
  await agent.write({ 'a.txt': 'A\n', 'libs/other.txt': 'other\n', 'libs/lib/out/built': 'x' });
  const { head, notes } = await workspace.collect(TEXT);
  expect(notes).toEqual([]);
  expect(await linkAt(at, head)).toBe(await linkAt(at, at.commit));
  expect(await plainGit(at.store.path, 'diff', '--name-only', at.commit, head)).toBe('a.txt\nlibs/other.txt');
});

test('changes within a submodule are no part of the run, are kept, and are said once', async () => {
  const at = await withSubmodule();
  const { workspace } = await at.open({ head: at.commit, base: at.commit });
  const agent = agentIn(workspace.folder);
  await agent.write({ 'libs/lib/lib.txt': 'changed\n', 'libs/lib/new/n.txt': 'new\n' });
  await rm(join(workspace.folder, 'libs/lib/deep'), { recursive: true });
  const { head, changed, notes } = await workspace.collect(TEXT);
  expect({ head, changed }).toEqual({ head: at.commit, changed: false });
  expect(notes[0]).toBe('libs/lib is a submodule: changes within it are left out (lib.txt, new/n.txt).');
  const [kept] = await salvaged(at);
  expect(await plainGit(at.store.path, 'ls-tree', '-r', '--name-only', kept?.commit ?? '')).toBe(
    'libs/lib/lib.txt\nlibs/lib/new/n.txt',
  );
  expect(await plainGit(at.store.path, 'show', `${kept?.commit}:libs/lib/lib.txt`)).toBe('changed');
  expect((await workspace.collect(TEXT)).notes).toEqual([]);
  expect(await salvaged(at)).toHaveLength(1);
});

test('a repository that an agent makes of a submodule’s folder does not move it, nor does a commit that names another one', async () => {
  const at = await withSubmodule();
  const { workspace } = await at.open({ head: at.commit, base: at.commit });
  const agent = agentIn(workspace.folder);
  const own = agentIn(join(workspace.folder, 'libs/lib'));
  await own.git('init', '--quiet');
  await own.git('-c', 'user.name=x', '-c', 'user.email=x@x', 'commit', '--quiet', '--allow-empty', '-m', 'Mine');
  await agent.write({ 'a.txt': 'A\n' });
  const first = await workspace.collect(TEXT);
  expect(await linkAt(at, first.head)).toBe(await linkAt(at, at.commit));
  expect(await plainGit(at.store.path, 'diff', '--name-only', at.commit, first.head)).toBe('a.txt');

  await rm(join(workspace.folder, 'libs/lib/.git'), { recursive: true });
  await agent.git('update-index', '--cacheinfo', `160000,${at.commit},libs/lib`);
  await agent.git('update-index', '--add', '--cacheinfo', `160000,${at.commit},libs/new`);
  await agent.write({ 'b.txt': 'b\n' });
  await agent.git('add', 'b.txt');
  await agent.git('commit', '--quiet', '-m', 'Move the submodule');
  const second = await workspace.collect(TEXT);
  expect(await linkAt(at, second.head)).toBe(await linkAt(at, at.commit));
  expect(await linkAt(at, second.head, 'libs/new')).toBeUndefined();
  expect(await plainGit(at.store.path, 'diff', '--name-only', first.head, second.head)).toBe('b.txt');
  expect(second.notes).toEqual(
    expect.arrayContaining([
      'libs/lib is a submodule: the run leaves it at its commit.',
      'libs/new is a repository of its own: it was left out.',
    ]),
  );
});

test('a workspace that moves to a commit with another one has its files; what was changed there is kept', async () => {
  const at = await withSubmodule();
  const { workspace } = await at.open({ head: at.commit, base: at.commit });
  const newer = await at.lib.commit({ 'lib.txt': 'newer\n' });
  await plainGit(join(at.repository.path, 'libs/lib'), 'fetch', '--quiet', at.lib.path, newer);
  await plainGit(join(at.repository.path, 'libs/lib'), 'checkout', '--quiet', newer);
  const later = await at.repository.commit({ 'a.txt': 'later\n' });
  await at.store.fetchCommit(later);
  const agent = agentIn(workspace.folder);
  await agent.write({ 'libs/lib/lib.txt': 'mine\n' });
  await workspace.reset(later);
  expect(await agent.read('libs/lib/lib.txt')).toBe('newer\n');
  expect(await workspace.collect(TEXT)).toMatchObject({ changed: false, notes: [] });
  const kept = await salvaged(at);
  expect(
    await plainGit(
      at.store.path,
      'show',
      `${kept.find(({ ref }) => ref.includes('submodule'))?.commit}:libs/lib/lib.txt`,
    ),
  ).toBe('mine');
  await workspace.reset(at.base);
  expect(await exists(join(workspace.folder, 'libs/lib/lib.txt'))).toBe(false);
});

test('what a check removes of a submodule comes back, and a workspace that is opened again has it still', async () => {
  const at = await withSubmodule();
  const { workspace } = await at.open({ head: at.commit, base: at.commit });
  await rm(join(workspace.folder, 'libs'), { recursive: true });
  await workspace.restore();
  expect((await readdir(join(workspace.folder, 'libs/lib'))).sort()).toEqual(['.gitignore', 'deep', 'lib.txt']);
  const checkpoint = await workspace.checkpoint();
  const again = await at.open({ head: at.commit, base: at.commit, checkpoint, reuse: true });
  expect(again.fresh).toBe(false);
  const elsewhere = await at.elsewhere({ head: at.commit, base: at.commit, checkpoint });
  for (const { workspace: one } of [again, elsewhere]) {
    expect(await agentIn(one.folder).read('libs/lib/lib.txt')).toBe('lib\n');
    expect(await one.collect(TEXT)).toMatchObject({ changed: false, notes: [] });
  }
});

test('an agent may remove a submodule', async () => {
  const at = await withSubmodule();
  const { workspace } = await at.open({ head: at.commit, base: at.commit });
  await rm(join(workspace.folder, 'libs'), { recursive: true });
  await rm(join(workspace.folder, '.gitmodules'));
  const { head } = await workspace.collect(TEXT);
  expect(await plainGit(at.store.path, 'ls-tree', '-r', '--name-only', head)).toBe('a.txt');
});
