import { copyFile, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { plainGit, tempFolder, tempRepository, writeFiles } from '../testing/temp-repository.ts';
import { openGitStore, runRef, trashRef } from './git-store.ts';
import { sourceOf } from './source-objects.ts';

test('a store is made on first use, once, for all paths and worktrees of a repository', async () => {
  await using repository = await tempRepository({ 'src/a.txt': 'a\n' }, { name: 'My Répo "x"' });
  await using home = await tempFolder();
  const folder = join(home.path, 'repos');
  const linked = join(home.path, 'linked');
  await repository.git('worktree', 'add', '--quiet', '--detach', linked);
  const paths = [repository.path, join(repository.path, 'src'), linked];
  const stores = await Promise.all(paths.map((repositoryPath) => openGitStore({ folder, repositoryPath })));
  const ids = new Set(stores.map((store) => store.id));
  expect([...ids]).toEqual([expect.stringMatching(/^my-r-po-x-[0-9a-f]{8}$/)]);
  expect(await readdir(folder)).toEqual([`${stores[0]?.id}.git`]);
  expect(await plainGit(stores[0]!.path, 'config', 'gc.auto')).toBe('0');
});

test('a path without a repository is refused', async () => {
  await using home = await tempFolder();
  const opening = openGitStore({ folder: join(home.path, 'repos'), repositoryPath: home.path });
  await expect(opening).rejects.toMatchObject({ code: 'repository/not-git' });
});

async function storeOf(repositoryPath: string, home: string, crashPoint = () => Promise.resolve()) {
  return openGitStore({ folder: join(home, 'repos'), repositoryPath, crashPoint });
}

test('a commit comes with its history, by branch, by id and by expression, from a path with odd characters', async () => {
  await using repository = await tempRepository({}, { name: 'a \'b\' "c"\nd: ü' });
  await using home = await tempFolder();
  const first = await repository.commit({ 'a.txt': 'a\n' });
  const second = await repository.commit({ 'a.txt': 'b\n' });
  const store = await storeOf(repository.path, home.path);
  expect(await store.fetchCommit('main')).toBe(second);
  expect(await store.fetchCommit(first)).toBe(first);
  expect(await store.fetchCommit('main~1')).toBe(first);
  expect(await plainGit(store.path, 'log', '--format=%H', second)).toBe(`${second}\n${first}`);
  await plainGit(store.path, 'fsck', '--full', '--strict');
});

test('a commit that no branch of the user reaches can be fetched', async () => {
  await using repository = await tempRepository();
  await using home = await tempFolder();
  const lost = await repository.commit({ 'a.txt': 'a\n' });
  await repository.git('reset', '--quiet', '--hard', 'HEAD^');
  const store = await storeOf(repository.path, home.path);
  expect(await store.fetchCommit(lost)).toBe(lost);
});

test("fetching writes nothing in the user's repository and runs none of its hooks", async () => {
  await using repository = await tempRepository();
  await using home = await tempFolder();
  const fire = `#!/bin/sh\ntouch '${home.path}/canary'\ncat\n`;
  await writeFiles(repository.path, {
    '.git/hooks/fire': { executable: fire },
    '.git/hooks/reference-transaction': { executable: fire },
  });
  await repository.git('config', 'uploadpack.packObjectsHook', join(repository.path, '.git/hooks/fire'));
  const before = await snapshot(repository.path);
  const store = await storeOf(repository.path, home.path);
  await store.fetchCommit('main');
  expect(await snapshot(repository.path)).toEqual(before);
  expect(await readdir(home.path)).toEqual(['repos']);
});

async function snapshot(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true });
  const stats = await Promise.all(names.map((name) => stat(join(folder, name))));
  return names.map((name, n) => `${name} ${stats[n]?.mtimeMs} ${stats[n]?.size}`).sort();
}

test('many fetches of one commit at once all end well', async () => {
  await using repository = await tempRepository();
  await using home = await tempFolder();
  const stores = await Promise.all(Array.from({ length: 6 }, () => storeOf(repository.path, home.path)));
  const head = await repository.git('rev-parse', 'HEAD');
  expect(await Promise.all(stores.map((store) => store.fetchCommit('main')))).toEqual(stores.map(() => head));
});

test('what names no commit is refused', async () => {
  await using repository = await tempRepository();
  await using home = await tempFolder();
  const store = await storeOf(repository.path, home.path);
  await expect(store.fetchCommit('missing')).rejects.toMatchObject({ code: 'repository/unknown-commit' });
  await expect(store.fetchCommit('--upload-pack=x')).rejects.toMatchObject({ code: 'repository/unknown-commit' });
});

test('a shallow clone is refused until it is completed', async () => {
  await using origin = await tempRepository();
  await origin.commit({ 'b.txt': 'b\n' });
  await using home = await tempFolder();
  const clone = join(home.path, 'clone');
  await plainGit(home.path, 'clone', '--quiet', '--depth=1', `file://${origin.path}`, clone);
  const store = await storeOf(clone, home.path);
  await expect(store.fetchCommit('main')).rejects.toMatchObject({
    code: 'repository/shallow',
    hint: expect.stringContaining('git fetch --unshallow'),
  });
  await plainGit(clone, 'fetch', '--quiet', '--unshallow');
  expect(await store.fetchCommit('main')).toBe(await origin.git('rev-parse', 'HEAD'));
});

test('a partial clone with objects missing is refused until it is completed', async () => {
  await using origin = await tempRepository();
  await origin.git('config', 'uploadpack.allowFilter', 'true');
  await origin.commit({ 'README.md': 'two\n' });
  await using home = await tempFolder();
  const clone = join(home.path, 'clone');
  await plainGit(home.path, 'clone', '--quiet', '--filter=blob:none', `file://${origin.path}`, clone);
  const store = await storeOf(clone, home.path);
  await expect(store.fetchCommit('main')).rejects.toMatchObject({ code: 'repository/partial' });
  await plainGit(clone, 'fetch', '--quiet', '--refetch', '--no-filter');
  expect(await store.fetchCommit('main')).toBe(await origin.git('rev-parse', 'HEAD'));
});

test('a repository with sha256 names gets a store with the same', async () => {
  await using home = await tempFolder();
  const path = join(home.path, 'new');
  await plainGit(home.path, 'init', '--quiet', '--object-format=sha256', path);
  await plainGit(path, '-c', 'user.name=A', '-c', 'user.email=a@b', 'commit', '--quiet', '--allow-empty', '-m', 'x');
  const store = await storeOf(path, home.path);
  expect(await store.fetchCommit('HEAD')).toHaveLength(64);
});

test('refs are kept, listed and dropped by what they are expected to be', async () => {
  await using repository = await tempRepository();
  await using home = await tempFolder();
  const store = await storeOf(repository.path, home.path);
  const one = await store.fetchCommit('main');
  await repository.commit({ 'b.txt': 'b\n' });
  const two = await store.fetchCommit('main');
  const ref = runRef('r1', 'head');
  expect(await store.keep(ref, one, two)).toBe(false);
  expect(await store.keep(ref, one, null)).toBe(true);
  expect(await store.keep(ref, two)).toBe(true);
  expect(await store.list('refs/switchyard/runs/')).toEqual([{ ref, commit: two }]);
  expect(await store.resolve(ref)).toBe(two);
  expect(await store.drop(ref, one)).toBe(false);
  expect(await store.drop(ref, two)).toBe(true);
  expect(await store.drop(ref)).toBe(true);
  expect(await store.resolve(ref)).toBeUndefined();
});

test('the trash takes all refs of one run and gives them back, and doing so again changes nothing', async () => {
  await using repository = await tempRepository();
  await using home = await tempFolder();
  const store = await storeOf(repository.path, home.path);
  const head = await store.fetchCommit('main');
  for (const run of ['r1', 'r10'])
    for (const name of ['head', 'checkpoint-a-1']) await store.keep(runRef(run, name), head);
  const trashed = ['checkpoint-a-1', 'head'].map((name) => ({ ref: trashRef('r1', name), commit: head }));
  expect(await store.moveToTrash('r1')).toEqual(trashed);
  expect(await store.moveToTrash('r1')).toEqual(trashed);
  expect(await store.list('refs/switchyard/runs/r1/')).toEqual([]);
  expect(await store.list('refs/switchyard/runs/r10/')).toHaveLength(2);
  const back = ['checkpoint-a-1', 'head'].map((name) => ({ ref: runRef('r1', name), commit: head }));
  expect(await store.restoreFromTrash('r1')).toEqual(back);
  expect(await store.restoreFromTrash('r1')).toEqual(back);
  expect(await store.list('refs/switchyard/trash/')).toEqual([]);
});

test('a run that was begun again while its trash was full loses neither', async () => {
  await using repository = await tempRepository();
  await using home = await tempFolder();
  const store = await storeOf(repository.path, home.path);
  const one = await store.fetchCommit('main');
  await repository.commit({ 'b.txt': 'b\n' });
  const two = await store.fetchCommit('main');
  await store.keep(runRef('r1', 'head'), one);
  await store.moveToTrash('r1');
  await store.keep(runRef('r1', 'head'), two);
  expect((await store.moveToTrash('r1')).map(({ commit }) => commit).sort()).toEqual([one, two].sort());
});

test.each(['trash.before', 'trash.after'])('a death at %s is mended by doing it again', async (armed) => {
  await using repository = await tempRepository();
  await using home = await tempFolder();
  const dying = await storeOf(repository.path, home.path, (...[name]: unknown[]) =>
    name === armed ? Promise.reject(new Error('killed')) : Promise.resolve(),
  );
  const head = await dying.fetchCommit('main');
  await dying.keep(runRef('r1', 'head'), head);
  await expect(dying.moveToTrash('r1')).rejects.toThrow('killed');
  const store = await storeOf(repository.path, home.path);
  expect(await store.moveToTrash('r1')).toEqual([{ ref: trashRef('r1', 'head'), commit: head }]);
  expect(await store.list('refs/switchyard/runs/')).toEqual([]);
});

const SOMEONE = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com'];

test('what was fetched lies apart from what is kept, and both are whole', async () => {
  await using repository = await tempRepository();
  await using home = await tempFolder();
  const store = await storeOf(repository.path, home.path);
  const base = await store.fetchCommit('main');
  const tree = await plainGit(store.path, 'rev-parse', `${base}^{tree}`);
  const own = await plainGit(store.path, ...SOMEONE, 'commit-tree', '-p', base, '-m', 'x', tree);
  await store.keep(runRef('r1', 'head'), own);
  const objects = (await plainGit(store.path, 'count-objects')).split(' ')[0];
  expect(objects).toBe('1');
  expect(await plainGit(sourceOf(store.path), 'cat-file', '--batch-all-objects', '--batch-check')).not.toContain(own);
  expect([await store.hasFetched(base), await store.hasFetched(own)]).toEqual([true, false]);
  await plainGit(store.path, 'gc', '--quiet', '--prune=now');
  await plainGit(store.path, 'pack-refs', '--all');
  await plainGit(sourceOf(store.path), 'pack-refs', '--all');
  for (const path of [store.path, sourceOf(store.path)]) await plainGit(path, 'fsck', '--full', '--strict');
  expect([await store.hasFetched(base), await store.hasFetched(own)]).toEqual([true, false]);
  expect(await store.fetchCommit('main')).toBe(base);
});

test('a commit of a run that the repository has by now is fetched when that is told, and one that it does not have is not', async () => {
  await using repository = await tempRepository();
  await using home = await tempFolder();
  const store = await storeOf(repository.path, home.path);
  const base = await store.fetchCommit('main');
  const tree = await plainGit(store.path, 'rev-parse', `${base}^{tree}`);
  const own = await plainGit(store.path, ...SOMEONE, 'commit-tree', '-p', base, '-m', 'x', tree);
  await store.keep(runRef('r1', 'head'), own);
  await store.shares(own);
  expect(await store.hasFetched(own)).toBe(false);
  await repository.git('fetch', '--quiet', store.path, runRef('r1', 'head'));
  await store.shares(own);
  expect(await store.hasFetched(own)).toBe(true);
  expect(await plainGit(sourceOf(store.path), 'cat-file', '-t', own)).toBe('commit');
  // Also when it has no file of its own any more, here or there.
  const packed = await plainGit(store.path, ...SOMEONE, 'commit-tree', '-p', own, '-m', 'y', tree);
  await store.keep(runRef('r1', 'head'), packed);
  await plainGit(store.path, 'repack', '-q', '-a', '-d');
  await repository.git('fetch', '--quiet', store.path, runRef('r1', 'head'));
  await store.shares(packed);
  expect(await store.hasFetched(packed)).toBe(true);
  await plainGit(sourceOf(store.path), 'fsck', '--full', '--strict');
});

test('what a fetch that was cut off has left does not pass for the whole commit', async () => {
  await using repository = await tempRepository({ 'a.txt': 'a\n' });
  await using home = await tempFolder();
  const store = await storeOf(repository.path, home.path);
  const base = await store.fetchCommit('main');
  const own = await repository.commit({ 'in/b.txt': 'b\n' });
  await plainGit(store.path, 'fetch', '--quiet', repository.path, `${own}:${runRef('r1', 'head')}`);
  for (const name of [own, `${own}^{tree}`, `${own}:in`]) {
    const id = await plainGit(store.path, 'rev-parse', name);
    const file = join('objects', id.slice(0, 2), id.slice(2));
    await mkdir(join(sourceOf(store.path), 'objects', id.slice(0, 2)), { recursive: true });
    await copyFile(join(store.path, file), join(sourceOf(store.path), file));
  }
  await store.shares(own);
  expect([await store.hasFetched(base), await store.hasFetched(own)]).toEqual([true, true]);
  await plainGit(sourceOf(store.path), 'fsck', '--full', '--strict');
});

test('a commit of a run that cannot be fetched when that is told is fetched when it is asked for', async () => {
  await using repository = await tempRepository();
  await using home = await tempFolder();
  const store = await storeOf(repository.path, home.path);
  await store.fetchCommit('main');
  const own = await repository.commit({ 'b.txt': 'b\n' });
  await plainGit(store.path, 'fetch', '--quiet', repository.path, `${own}:${runRef('r1', 'head')}`);
  const lock = join(sourceOf(store.path), `refs/switchyard/fetched/${own}.lock`);
  await writeFile(lock, '');
  await store.shares(own);
  expect(await store.hasFetched(own)).toBe(false);
  await rm(lock);
  expect(await store.fetchCommit(own)).toBe(own);
  expect(await store.hasFetched(own)).toBe(true);
});

test('a store of an earlier build is opened with all that it has, and may be moved', async () => {
  await using repository = await tempRepository();
  await using home = await tempFolder();
  const store = await storeOf(repository.path, home.path);
  const base = await repository.git('rev-parse', 'main');
  await rm(sourceOf(store.path), { recursive: true });
  await rm(join(store.path, 'objects/info/alternates'));
  await plainGit(store.path, 'fetch', '--quiet', repository.path, `main:refs/switchyard/fetched/${base}`);
  const again = await storeOf(repository.path, home.path);
  expect(await again.resolve(base)).toBe(base);
  expect(await again.hasFetched(base)).toBe(false);
  expect(await again.fetchCommit('main')).toBe(base);
  expect(await again.hasFetched(base)).toBe(true);
  const next = await repository.commit({ 'a.txt': 'a\n' });
  await again.fetchCommit('main');
  const moved = join(home.path, 'elsewhere');
  await rename(join(home.path, 'repos'), moved);
  await plainGit(join(moved, `${store.id}.git`), 'cat-file', '-e', `${next}^{tree}`);
});
