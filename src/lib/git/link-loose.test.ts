import { link, mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { plainGit, tempFolder, tempRepository } from '../../testing/temp-repository.ts';
import { linkLooseObjects } from './link-loose.ts';

const nothing = () => Promise.resolve(false);

const SOMEONE = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com'];

/** A repository with two commits, and a folder for links beside it. */
async function linking() {
  const repository = await tempRepository({});
  const folder = await tempFolder();
  const first = await repository.commit({ 'a.txt': 'a\n', 'in/b.txt': 'b\n' });
  const second = await repository.commit({ 'in/c.txt': 'c\n', 'in/"d"': 'd\n' });
  const into = join(folder.path, 'objects');
  await mkdir(into);
  return {
    repository,
    gitDir: join(repository.path, '.git'),
    into,
    first,
    second,
    idOf: (name: string) => repository.git('rev-parse', name),
    has: (id: string) =>
      stat(join(into, id.slice(0, 2), id.slice(2))).then(
        () => true,
        () => false,
      ),
    async [Symbol.asyncDispose]() {
      await repository[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

test('what a commit holds is linked, without what another one holds', async () => {
  await using at = await linking();
  const { gitDir, into, first, second } = at;
  expect(await linkLooseObjects(gitDir, { ids: [second], isThere: async (id) => id === first, into })).toBe(true);
  for (const name of ['HEAD', 'HEAD:', 'HEAD:in', 'HEAD:in/c.txt', 'HEAD:in/"d"'])
    expect([name, await at.has(await at.idOf(name))]).toEqual([name, true]);
  expect(await at.has(first)).toBe(false);
});

test('all of the history comes where nothing is left out, and again is the same', async () => {
  await using at = await linking();
  const { gitDir, into, first, second } = at;
  const request = { ids: [second], isThere: nothing, into };
  expect(await linkLooseObjects(gitDir, request)).toBe(true);
  expect(await linkLooseObjects(gitDir, request)).toBe(true);
  for (const id of [first, await at.idOf('HEAD~1:in/b.txt')]) expect([id, await at.has(id)]).toEqual([id, true]);
});

test('what is there of a commit does not keep the rest of it from being linked, but what is known to be there does', async () => {
  await using at = await linking();
  const { gitDir, into, first, second } = at;
  const left = ['HEAD~1', 'HEAD:', 'HEAD:in'];
  for (const name of left) {
    const id = await at.idOf(name);
    await mkdir(join(into, id.slice(0, 2)), { recursive: true });
    await link(join(gitDir, 'objects', id.slice(0, 2), id.slice(2)), join(into, id.slice(0, 2), id.slice(2)));
  }
  expect(await linkLooseObjects(gitDir, { ids: [second], isThere: async (id) => id === first, into })).toBe(true);
  for (const name of ['HEAD', ...left, 'HEAD:in/c.txt', 'HEAD:in/"d"'])
    expect([name, await at.has(await at.idOf(name))]).toEqual([name, true]);
  for (const name of ['HEAD:a.txt', 'HEAD:in/b.txt'])
    expect([name, await at.has(await at.idOf(name))]).toEqual([name, false]);
});

test('a tree beside commits is linked with what they do not hold', async () => {
  await using at = await linking();
  const { repository, gitDir, into, first, second } = at;
  await repository.git('rm', '--quiet', '--cached', 'a.txt');
  await writeFile(join(repository.path, 'in/staged.txt'), 'staged\n');
  await repository.git('add', 'in/staged.txt');
  const tree = await repository.git('write-tree');
  expect(await linkLooseObjects(gitDir, { ids: [second, tree], isThere: async (id) => id === first, into })).toBe(true);
  for (const name of ['HEAD:in/c.txt', tree, `${tree}:in`, `${tree}:in/staged.txt`])
    expect([name, await at.has(await at.idOf(name))]).toEqual([name, true]);
});

test('what the repository borrows is left out', async () => {
  await using at = await linking();
  await using other = await tempFolder();
  const { gitDir, into, second } = at;
  const borrower = join(other.path, 'borrower.git');
  await plainGit(other.path, 'init', '--quiet', '--bare', borrower);
  await writeFile(join(borrower, 'objects/info/alternates'), `${join(gitDir, 'objects')}\n`);
  const tree = await at.idOf('HEAD:');
  const commit = await plainGit(borrower, ...SOMEONE, 'commit-tree', '-p', second, '-m', 'x', tree);
  expect(await linkLooseObjects(borrower, { ids: [commit], isThere: nothing, into })).toBe(true);
  expect([await at.has(commit), await at.has(second), await at.has(tree)]).toEqual([true, false, false]);
});

test('a repository with packs of its own is left to git, and so is what is no commit', async () => {
  await using at = await linking();
  const { repository, gitDir, into, first, second } = at;
  const blob = await at.idOf('HEAD:a.txt');
  expect(await linkLooseObjects(gitDir, { ids: [blob], isThere: nothing, into })).toBe(false);
  await repository.git('repack', '-q');
  expect(await linkLooseObjects(gitDir, { ids: [second], isThere: async (id) => id === first, into })).toBe(false);
});

test('a folder that is not there, or holds too many objects, is left to git', async () => {
  await using at = await linking();
  const { repository, gitDir, second } = at;
  const nowhere = join(at.into, 'file');
  await writeFile(nowhere, '');
  expect(await linkLooseObjects(gitDir, { ids: [second], isThere: nothing, into: nowhere })).toBe(false);
  const many = await repository.commit(Object.fromEntries(Array.from({ length: 1100 }, (_, n) => [`${n}`, `${n}\n`])));
  expect(await linkLooseObjects(gitDir, { ids: [many], isThere: nothing, into: at.into })).toBe(false);
});
