import { readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { CrashPoint } from '../../../lib/crash-point.ts';
import { waitUntil } from '../../../lib/wait-until.ts';
import { type Content, plainGit, writeFiles } from '../../../testing/temp-repository.ts';
import { dying, stage } from './fixture.ts';

const DRAFT = { 'a.txt': 'draft\n', 'b.txt': 'draft\n', 'new/d.txt': 'draft\n' };

test('what the person has elsewhere survives exactly: staged, changed, untracked and ignored', async () => {
  await using at = await stage();
  await at.repository.git('rm', '--quiet', '--cached', 'dir/c.txt');
  await writeFiles(at.repository.path, { 'b.txt': 'staged\n', 'e.txt': 'staged too\n' });
  await at.repository.git('add', 'b.txt', 'e.txt');
  await writeFiles(at.repository.path, { 'b.txt': 'changed\n', 'new/untracked.txt': 'u\n', 'y.log': 'ignored\n' });
  const before = await at.status();
  expect(await at.forge().move({ branch: 'main', from: at.from, to: at.to })).toEqual({ kind: 'moved' });
  expect(await at.status()).toBe(before);
  expect(await at.repository.git('show', ':b.txt')).toBe('staged');
  expect(await at.read('b.txt')).toBe('changed\n');
  expect(await at.read('y.log')).toBe('ignored\n');
});

test.each<[string, (root: string, git: (...args: string[]) => Promise<string>) => Promise<unknown>, string[]]>([
  ['a changed file', (root) => writeFile(join(root, 'a.txt'), 'mine\n'), ['a.txt']],
  ['a deleted file', (root) => rm(join(root, 'a.txt')), ['a.txt']],
  [
    'a staged change',
    async (root, git) => writeFile(join(root, 'a.txt'), 'mine\n').then(() => git('add', 'a.txt')),
    ['a.txt'],
  ],
  ['a staged deletion', (_, git) => git('rm', '--quiet', '--cached', 'a.txt'), ['a.txt']],
  ['a changed file that is to be deleted', (root) => writeFile(join(root, 'gone.txt'), 'mine\n'), ['gone.txt']],
  ['an untracked file', (root) => writeFiles(root, { 'new/d.txt': 'mine\n' }), ['new/d.txt']],
  ['an ignored file', (root) => writeFiles(root, { 'x.log': 'mine\n' }), ['x.log']],
  ['a file where a folder is to be', (root) => writeFiles(root, { new: 'mine\n' }), ['new']],
  ['a link where a folder is to be', (root) => symlink('/tmp', join(root, 'new')), ['new']],
  [
    'an ignored file in a folder where a file is to be',
    (root) => writeFiles(root, { 'x.log/deep.log': 'mine\n' }),
    ['x.log/deep.log'],
  ],
  ['a lock', (root) => writeFile(join(root, '.git/index.lock'), ''), ['.git/index.lock']],
  ['a merge that waits', (root) => writeFile(join(root, '.git/MERGE_HEAD'), ''), ['.git/MERGE_HEAD']],
  ['two of them', (root) => writeFiles(root, { 'x.log': 'mine\n', 'a.txt': 'mine\n' }), ['a.txt', 'x.log']],
])('with %s in the way nothing moves, and it is named', async (_, block, files) => {
  await using at = await stage();
  await block(at.repository.path, (...args) => at.repository.git(...args));
  const index = await readFile(join(at.repository.path, '.git/index'));
  const contents = await snapshot(at.repository.path);
  expect(await at.forge().move({ branch: 'main', from: at.from, to: at.to })).toMatchObject({
    kind: 'checkout-dirty',
    checkout: at.repository.path,
    files,
  });
  expect(await at.head()).toBe(at.from);
  expect(await snapshot(at.repository.path)).toEqual(contents);
  expect((await readFile(join(at.repository.path, '.git/index'))).equals(index)).toBe(true);
  expect((await readdir(at.mirror)).filter((name) => name.startsWith('look'))).toEqual([]);
});

test.each<[string, string, string[]]>([
  ['a merge', 'merge', ['merge', 'side']],
  ['a cherry-pick', 'cherry-pick', ['cherry-pick', 'side']],
  ['a revert', 'revert', ['revert', '--no-edit', 'main~1']],
  ['a rebase', 'rebase', ['rebase', 'side']],
  ['a rebase that applies patches', 'rebase', ['rebase', '--apply', 'side']],
  ['a bisect', 'bisect', ['bisect', 'start', 'main', 'main~2']],
])('%s that waits to be finished is named as such, with how it ends', async (_, name, command) => {
  await using at = await stage();
  const { git } = at.repository;
  await git('switch', '--quiet', '-c', 'side');
  await at.repository.commit({ 'e.txt': 'side\n' });
  await git('switch', '--quiet', 'main');
  for (const text of ['main\n', 'on\n']) await at.repository.commit({ 'e.txt': text });
  const from = await at.head();
  await git(...command).catch(() => undefined);
  const moved = await at.forge().move({ branch: 'main', from, to: from });
  expect(moved).toMatchObject({ kind: 'checkout-dirty', advice: expect.stringContaining(`${name} `) as string });
  expect('advice' in moved && moved.advice).toMatch(
    name === 'bisect' ? /`git bisect reset`/ : new RegExp(`\`git ${name} --abort\``),
  );
});

test('a lock is told as another program at work, and files in the way need no more than to be named', async () => {
  await using at = await stage();
  const request = { branch: 'main', from: at.from, to: at.to };
  await writeFiles(at.repository.path, { 'a.txt': 'mine\n' });
  expect(await at.forge().move(request)).not.toMatchObject({ advice: expect.anything() as string });
  await writeFile(join(at.repository.path, '.git/index.lock'), '');
  const advice = expect.stringMatching(/^another git program is at work.*\.git\/index\.lock/) as string;
  expect(await at.forge().move(request)).toMatchObject({ files: ['.git/index.lock'], advice });
});

test('a file that is as it is to become, but staged with another content, is told to be so, and goes once it is added', async () => {
  await using at = await stage();
  const request = { branch: 'main', from: at.from, to: at.to };
  await writeFiles(at.repository.path, { 'a.txt': 'staged\n' });
  await at.repository.git('add', 'a.txt');
  await writeFiles(at.repository.path, { 'a.txt': 'A\n' });
  expect(await at.forge().move(request)).toMatchObject({
    kind: 'checkout-dirty',
    files: ['a.txt'],
    advice: expect.stringMatching(/^a\.txt is staged with another content.*`git add` it/) as string,
  });
  await writeFiles(at.repository.path, { 'x.log': 'mine\n' });
  expect(await at.forge().move(request)).toMatchObject({
    files: ['a.txt', 'x.log'],
    advice: expect.stringMatching(/^these files are in the way: x\.log .*besides, a\.txt is staged/) as string,
  });
  await rm(join(at.repository.path, 'x.log'));
  expect(await at.repository.git('show', ':a.txt')).toBe('staged');
  await at.repository.git('add', 'a.txt');
  expect(await at.forge().move(request)).toEqual({ kind: 'moved' });
});

test('names with spaces, quotes, line ends and bytes that are no text move and block like others', async () => {
  const names = ['with space', 'quo"te', 'new\nline', 'ünï', '-dash', ':(glob)*', '*'];
  await using at = await stage({ files: Object.fromEntries(names.map((name) => [name, 'x\n'])) });
  await writeFiles(at.repository.path, Object.fromEntries(names.map((name) => [name, 'mine\n'])));
  const blocked = { kind: 'checkout-dirty', checkout: at.repository.path, files: [...names].sort() };
  expect(await at.forge().move({ branch: 'main', from: at.from, to: at.to })).toEqual(blocked);
  for (const name of names) await rm(join(at.repository.path, name));
  expect(await at.forge().move({ branch: 'main', from: at.from, to: at.to })).toEqual({ kind: 'moved' });
  expect(await at.status()).toBe('');
});

test('files that are already as the merge makes them are not in the way', async () => {
  await using at = await stage();
  await writeFiles(at.repository.path, { 'a.txt': 'A\n', 'x.log': 'log\n' });
  expect(await at.forge().move({ branch: 'main', from: at.from, to: at.to })).toEqual({ kind: 'moved' });
  expect(await at.status()).toBe('');
});

test.each(['not staged', 'staged', 'partly staged'])(
  'files that are as in the commit where they are kept go along (%s), others stay as they are',
  async (how) => {
    await using at = await stage();
    const request = { branch: 'main', from: at.from, to: at.to };
    const commit = await kept(at, DRAFT);
    await writeFiles(at.repository.path, DRAFT);
    if (how === 'staged') await at.repository.git('add', '-A');
    if (how === 'partly staged') await at.repository.git('add', 'a.txt');
    expect(await at.forge().move(request)).toMatchObject({ kind: 'checkout-dirty', files: ['a.txt', 'new/d.txt'] });
    expect(await at.forge().move({ ...request, kept: commit })).toEqual({ kind: 'moved' });
    expect([await at.read('a.txt'), await at.read('new/d.txt'), await at.read('b.txt')]).toEqual([
      'A\n',
      'd\n',
      'draft\n',
    ]);
    expect((await at.status()).trim()).toMatch(/^M +b\.txt$/);
  },
);

test('a kept file that was changed again is in the way, and then nothing moves', async () => {
  await using at = await stage();
  const commit = await kept(at, DRAFT);
  await writeFiles(at.repository.path, { ...DRAFT, 'a.txt': 'draft, and more\n' });
  const request = { branch: 'main', from: at.from, to: at.to, kept: commit };
  expect(await at.forge().move(request)).toMatchObject({ kind: 'checkout-dirty', files: ['a.txt'] });
  expect(await at.head()).toBe(at.from);
  expect([await at.read('a.txt'), await at.read('new/d.txt')]).toEqual(['draft, and more\n', 'draft\n']);
});

test('a file that was deleted goes along where the deletion is kept', async () => {
  await using at = await stage();
  const commit = await kept(at, {}, ['a.txt']);
  await rm(join(at.repository.path, 'a.txt'));
  const request = { branch: 'main', from: at.from, to: at.to };
  expect(await at.forge().move(request)).toMatchObject({ kind: 'checkout-dirty', files: ['a.txt'] });
  expect(await at.forge().move({ ...request, kept: commit })).toEqual({ kind: 'moved' });
  expect([await at.read('a.txt'), await at.status()]).toEqual(['A\n', '']);
});

test('a change in the same second and of the same size as what git has seen is in the way', async () => {
  await using at = await stage();
  const index = join(at.repository.path, '.git/index');
  const { atime, mtime } = await stat(index);
  await writeFile(join(at.repository.path, 'gone.txt'), 'mine\n');
  await utimes(join(at.repository.path, 'gone.txt'), atime, mtime);
  const { ctimeMs } = await stat(join(at.repository.path, 'gone.txt'));
  await utimes(index, atime, new Date(ctimeMs));
  const later: CrashPoint = (name) => Promise.reject(new Error(`got as far as ${name}`));
  await waitUntil(() => Date.now() > ctimeMs + 1000, { timeoutMs: 5_000, what: 'the end of that second' });
  expect(await at.forge(later).move({ branch: 'main', from: at.from, to: at.to })).toMatchObject({
    files: ['gone.txt'],
  });
});

test('a file that was only touched is clean', async () => {
  await using at = await stage();
  await writeFile(join(at.repository.path, 'a.txt'), 'a\n');
  expect(await at.forge().move({ branch: 'main', from: at.from, to: at.to })).toEqual({ kind: 'moved' });
});

test('after a death between branch and checkout, kept files go along with a second call', async () => {
  await using at = await stage();
  const commit = await kept(at, DRAFT);
  await writeFiles(at.repository.path, DRAFT);
  await at.repository.git('add', '-A');
  const request = { branch: 'main', from: at.from, to: at.to, kept: commit };
  await expect(at.forge(dying('checkout.before')).move(request)).rejects.toThrow('killed');
  expect(await at.head()).toBe(at.to);
  expect(await at.forge().move(request)).toEqual({ kind: 'moved' });
  expect([await at.read('a.txt'), await at.read('new/d.txt')]).toEqual(['A\n', 'd\n']);
});

async function snapshot(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const own = entries.filter(({ parentPath, name }) => !`${parentPath}/${name}`.includes('/.git/'));
  const lines = own.map(async (entry) => {
    const path = join(entry.parentPath, entry.name);
    return `${path} ${entry.isFile() ? await readFile(path, 'utf8') : ''}`;
  });
  return (await Promise.all(lines)).sort();
}

/** A commit in the store that holds the person's files as they are about to be. */
async function kept(at: Awaited<ReturnType<typeof stage>>, files: Record<string, Content>, remove: string[] = []) {
  const work = join(at.home, 'kept');
  await plainGit(at.home, 'clone', '--quiet', at.repository.path, work);
  for (const path of remove) await rm(join(work, path));
  await writeFiles(work, files);
  await plainGit(work, 'add', '-A', '-f');
  await plainGit(work, '-c', 'user.name=x', '-c', 'user.email=x@y', 'commit', '--quiet', '-m', 'Kept');
  await plainGit(work, 'push', '--quiet', at.mirror, 'HEAD:refs/heads/kept');
  return plainGit(work, 'rev-parse', 'HEAD');
}
