import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { inspectRepository } from '../lib/git/repository.ts';
import { plainGit, tempFolder, tempRepository } from '../testing/temp-repository.ts';
import { openGitStore } from '../workspaces/git-store.ts';
import { includeDirty } from './include-dirty.ts';

test('the store holds all of a checkout, also what was staged or lies in another branch of the person alone', async () => {
  await using repository = await tempRepository({ 'a.txt': 'a\n', 'b.txt': 'b\n' }, { name: 'a:b "c" \\d' });
  await using home = await tempFolder();
  const found = await inspectRepository(repository.path);
  if (found === undefined) throw new Error('no repository');
  const write = (name: string, text: string) => writeFile(join(repository.path, name), text);
  await repository.git('switch', '--quiet', '--create', 'other');
  await repository.commit({ 'a.txt': 'of the other branch\n' });
  await repository.git('switch', '--quiet', 'main');
  const base = await repository.git('rev-parse', 'HEAD');
  await write('staged.txt', 'staged\n');
  await write('changed.txt', 'staged first\n');
  await write('gone.txt', 'staged, then removed\n');
  await repository.git('add', '--all');
  await write('changed.txt', 'then changed\n');
  await write('a.txt', 'of the other branch\n');
  await write('new.txt', 'new\n');
  await rm(join(repository.path, 'gone.txt'));
  await rm(join(repository.path, 'b.txt'));
  const status = await repository.git('status', '--porcelain');
  const objects = await plainGit(repository.path, 'count-objects', '-v');

  const store = await openGitStore({ folder: join(home.path, 'repos'), repositoryPath: repository.path });
  await store.fetchCommit(base);
  const identity = { name: 'Ada', email: 'ada@example.com' };
  const from = { commit: base, ref: 'main' } as Parameters<typeof includeDirty>[1];
  const { commit } = await includeDirty({ found, store } as Parameters<typeof includeDirty>[0], from, {
    run: 'r1',
    identity,
  });

  await plainGit(store.path, 'fsck', '--full', '--strict');
  const files = (await plainGit(store.path, 'ls-tree', '-r', '--name-only', commit)).split('\n');
  expect(files).toEqual(['a.txt', 'changed.txt', 'new.txt', 'staged.txt']);
  const contents = await Promise.all(files.map((name) => plainGit(store.path, 'show', `${commit}:${name}`)));
  expect(contents).toEqual(['of the other branch', 'then changed', 'new', 'staged']);
  expect(await repository.git('status', '--porcelain')).toBe(status);
  expect(await plainGit(repository.path, 'count-objects', '-v')).toBe(objects);
});
