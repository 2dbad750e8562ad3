import { appendFile, mkdir, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type CrashPoint, noCrashPoint } from '../../../lib/crash-point.ts';
import { type Content, plainGit, tempFolder, tempRepository, writeFiles } from '../../../testing/temp-repository.ts';
import { createLocalForge } from './index.ts';

const FIRST = { 'a.txt': 'a\n', 'b.txt': 'b\n', 'gone.txt': 'gone\n', 'dir/c.txt': 'c\n', '.gitignore': '*.log\n' };
const SECOND = { 'a.txt': 'A\n', 'new/d.txt': 'd\n', 'x.log': 'log\n' };

/** The person's repository on `main` at `from`, and a store that has a descendant `to`. */
async function stage({
  files = SECOND,
  remove = ['gone.txt'],
}: {
  files?: Record<string, Content>;
  remove?: string[];
} = {}) {
  const repository = await tempRepository(FIRST, { name: "the person's repo" });
  const home = await tempFolder();
  const from = await repository.git('rev-parse', 'HEAD');
  const work = join(home.path, 'work');
  const mirror = join(home.path, 'mirror.git');
  await plainGit(home.path, 'clone', '--quiet', repository.path, work);
  for (const path of remove) await rm(join(work, path), { recursive: true });
  await writeFiles(work, files);
  await plainGit(work, 'add', '-A', '-f');
  await plainGit(work, '-c', 'user.name=x', '-c', 'user.email=x@y', 'commit', '--quiet', '-m', 'Second');
  const to = await plainGit(work, 'rev-parse', 'HEAD');
  await plainGit(home.path, 'clone', '--quiet', '--bare', work, mirror);
  return {
    repository,
    home: home.path,
    mirror,
    from,
    to,
    forge: (crashPoint: CrashPoint = noCrashPoint) =>
      createLocalForge({ repository: repository.path, mirror, crashPoint }),
    read: (path: string) => readFile(join(repository.path, path), 'utf8'),
    head: () => repository.git('rev-parse', 'main'),
    status: () => repository.git('status', '--porcelain', '-uall'),
    async [Symbol.asyncDispose]() {
      await repository[Symbol.asyncDispose]();
      await home[Symbol.asyncDispose]();
    },
  };
}

const dying =
  (armed: string): CrashPoint =>
  (name) =>
    name === armed ? Promise.reject(new Error('killed')) : Promise.resolve();

test('a branch is published with its objects and nothing else, and publishing again is the same', async () => {
  await using at = await stage();
  const forge = at.forge();
  const before = (await readdir(join(at.repository.path, '.git'))).sort();
  const config = await at.read('.git/config');
  expect(await forge.branch('switchyard/x')).toBeUndefined();
  const request = { branch: 'switchyard/x', commit: at.to, expected: undefined };
  expect(await forge.publish(request)).toEqual({ kind: 'published' });
  expect(await forge.publish(request)).toEqual({ kind: 'published' });
  expect(await forge.publish({ ...request, expected: at.from })).toEqual({ kind: 'published' });
  expect(await forge.branch('switchyard/x')).toBe(at.to);
  await at.repository.git('fsck', '--connectivity-only');
  expect((await readdir(join(at.repository.path, '.git'))).sort()).toEqual(before);
  expect(await at.read('.git/config')).toBe(config);
  expect(await at.repository.git('for-each-ref', '--format=%(refname)')).toBe(
    'refs/heads/main\nrefs/heads/switchyard/x',
  );
});

test('a branch that someone else moved or made is not touched', async () => {
  await using at = await stage();
  const forge = at.forge();
  expect(await forge.publish({ branch: 'main', commit: at.to, expected: undefined })).toEqual({
    kind: 'moved',
    actual: at.from,
  });
  expect(await forge.publish({ branch: 'new', commit: at.to, expected: at.from })).toEqual({
    kind: 'moved',
    actual: undefined,
  });
  expect(await at.head()).toBe(at.from);
});

test('a published branch that the person looks at takes their checkout along, or stays while they work in it', async () => {
  await using at = await stage();
  const forge = at.forge();
  await forge.publish({ branch: 'x', commit: at.from, expected: undefined });
  await at.repository.git('switch', '--quiet', 'x');
  await appendFile(join(at.repository.path, 'a.txt'), 'mine\n');
  const request = { branch: 'x', commit: at.to, expected: at.from };
  await expect(forge.publish(request)).rejects.toMatchObject({
    code: 'forge/branch-checked-out',
    message: expect.stringContaining('a.txt'),
  });
  expect(await forge.branch('x')).toBe(at.from);
  await at.repository.git('checkout', '--quiet', '--', 'a.txt');
  expect(await forge.publish(request)).toEqual({ kind: 'published' });
  expect(await at.status()).toBe('');
  expect(await at.read('a.txt')).toBe('A\n');
});

test('a branch is deleted only from where it is expected, and not under a checkout', async () => {
  await using at = await stage();
  const forge = at.forge();
  await forge.publish({ branch: 'x', commit: at.to, expected: undefined });
  expect(await forge.unpublish({ branch: 'x', expected: at.from })).toBe(false);
  await at.repository.git('switch', '--quiet', 'x');
  expect(await forge.unpublish({ branch: 'x', expected: at.to })).toBe(false);
  await at.repository.git('switch', '--quiet', 'main');
  expect(await forge.unpublish({ branch: 'x', expected: at.to })).toBe(true);
  expect(await forge.unpublish({ branch: 'x', expected: at.to })).toBe(false);
  expect(await forge.branch('x')).toBeUndefined();
});

test('a merge moves the branch and a clean checkout together', async () => {
  await using at = await stage();
  expect(await at.forge().move({ branch: 'main', from: at.from, to: at.to })).toEqual({ kind: 'moved' });
  expect(await at.head()).toBe(at.to);
  expect(await at.status()).toBe('');
  expect(await at.read('new/d.txt')).toBe('d\n');
  expect(await readdir(at.repository.path)).not.toContain('gone.txt');
  expect(await at.repository.git('reflog', '-1', '--format=%gs')).toContain('switchyard: merge');
  expect(await at.forge().move({ branch: 'main', from: at.from, to: at.to })).toEqual({ kind: 'moved' });
});

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
  expect(await at.forge().move({ branch: 'main', from: at.from, to: at.to })).toEqual({
    kind: 'checkout-dirty',
    checkout: at.repository.path,
    files,
  });
  expect(await at.head()).toBe(at.from);
  expect(await snapshot(at.repository.path)).toEqual(contents);
  expect((await readFile(join(at.repository.path, '.git/index'))).equals(index)).toBe(true);
  expect((await readdir(at.mirror)).filter((name) => name.startsWith('look'))).toEqual([]);
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

const DRAFT = { 'a.txt': 'draft\n', 'b.txt': 'draft\n', 'new/d.txt': 'draft\n' };

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

test('a change in the same second and of the same size as what git has seen is in the way', async () => {
  await using at = await stage();
  const index = join(at.repository.path, '.git/index');
  const { atime, mtime } = await stat(index);
  await writeFile(join(at.repository.path, 'gone.txt'), 'mine\n');
  await utimes(join(at.repository.path, 'gone.txt'), atime, mtime);
  const { ctimeMs } = await stat(join(at.repository.path, 'gone.txt'));
  await utimes(index, atime, new Date(ctimeMs));
  const later: CrashPoint = (name) => Promise.reject(new Error(`got as far as ${name}`));
  await new Promise((resolve) => setTimeout(resolve, 1100));
  expect(await at.forge(later).move({ branch: 'main', from: at.from, to: at.to })).toMatchObject({
    files: ['gone.txt'],
  });
});

test('a file that was only touched is clean', async () => {
  await using at = await stage();
  await writeFile(join(at.repository.path, 'a.txt'), 'a\n');
  expect(await at.forge().move({ branch: 'main', from: at.from, to: at.to })).toEqual({ kind: 'moved' });
});

test('a folder that becomes a file and a file that becomes a folder move', async () => {
  await using at = await stage({ files: { dir: 'now a file\n', 'a.txt/now': 'a folder\n' }, remove: ['dir', 'a.txt'] });
  expect(await at.forge().move({ branch: 'main', from: at.from, to: at.to })).toEqual({ kind: 'moved' });
  expect(await at.status()).toBe('');
});

test('all worktrees of the branch move together, or none', async () => {
  await using at = await stage();
  const linked = join(at.home, 'linked\nhere');
  await at.repository.git('switch', '--quiet', '-c', 'other');
  await at.repository.git('worktree', 'add', '--quiet', linked, 'main');
  await at.repository.git('symbolic-ref', 'HEAD', 'refs/heads/main');
  await writeFile(join(linked, 'a.txt'), 'mine\n');
  const request = { branch: 'main', from: at.from, to: at.to };
  expect(await at.forge().move(request)).toEqual({ kind: 'checkout-dirty', checkout: linked, files: ['a.txt'] });
  expect(await at.status()).toBe('');
  await plainGit(linked, 'checkout', '--quiet', '--', 'a.txt');
  expect(await at.forge().move(request)).toEqual({ kind: 'moved' });
  for (const folder of [linked, at.repository.path]) {
    expect(await plainGit(folder, 'status', '--porcelain')).toBe('');
    expect(await readFile(join(folder, 'a.txt'), 'utf8')).toBe('A\n');
  }
});

test('a worktree whose folder is gone, and one on another branch, are no hindrance', async () => {
  await using at = await stage();
  const [gone, other] = [join(at.home, 'gone'), join(at.home, 'other')];
  await at.repository.git('worktree', 'add', '--quiet', '--force', gone, 'main');
  await at.repository.git('worktree', 'add', '--quiet', '-b', 'other', other);
  await writeFile(join(other, 'a.txt'), 'mine\n');
  await rm(gone, { recursive: true });
  expect(await at.forge().move({ branch: 'main', from: at.from, to: at.to })).toEqual({ kind: 'moved' });
  expect(await readFile(join(other, 'a.txt'), 'utf8')).toBe('mine\n');
});

test('a branch that is being rebased somewhere is left alone', async () => {
  await using at = await stage();
  await at.repository.commit({ 'b.txt': 'conflict\n' });
  await at.repository.git('branch', 'upstream', 'HEAD^');
  await at.repository.git('reset', '--quiet', '--hard', 'HEAD^');
  await at.repository.git('checkout', '--quiet', '--detach');
  await mkdir(join(at.repository.path, '.git/rebase-merge'));
  await writeFile(join(at.repository.path, '.git/rebase-merge/head-name'), 'refs/heads/main\n');
  expect(await at.forge().move({ branch: 'main', from: at.from, to: at.to })).toMatchObject({
    kind: 'checkout-dirty',
    files: ['.git/rebase-merge/head-name'],
  });
});

test('a bare repository has only its branch to move', async () => {
  await using at = await stage();
  const bare = join(at.home, 'bare.git');
  await plainGit(at.home, 'clone', '--quiet', '--bare', at.repository.path, bare);
  const forge = createLocalForge({ repository: bare, mirror: at.mirror, crashPoint: noCrashPoint });
  expect(await forge.move({ branch: 'main', from: at.from, to: at.to })).toEqual({ kind: 'moved' });
  expect(await forge.branch('main')).toBe(at.to);
});

test('a target that moved is told, one that went on from the merge is merged', async () => {
  await using at = await stage();
  const elsewhere = await at.repository.commit({ 'b.txt': 'theirs\n' });
  const request = { branch: 'main', from: at.from, to: at.to };
  expect(await at.forge().move(request)).toEqual({ kind: 'target-moved', actual: elsewhere });
  await at.repository.git('reset', '--quiet', '--hard', at.from);
  await at.forge().move(request);
  await at.repository.commit({ 'b.txt': 'after\n' });
  expect(await at.forge().move(request)).toEqual({ kind: 'moved' });
  expect(await at.read('b.txt')).toBe('after\n');
  expect(await at.forge().move({ ...request, branch: 'missing' })).toEqual({ kind: 'target-moved', actual: undefined });
});

test('a commit that does not stand on the old one is refused', async () => {
  await using at = await stage();
  await at.forge().publish({ branch: 'x', commit: at.to, expected: undefined });
  const moving = at.forge().move({ branch: 'x', from: at.to, to: at.from });
  await expect(moving).rejects.toMatchObject({ code: 'merge/not-a-descendant' });
});

test.each(['target-ref.before', 'target-ref.after', 'checkout.before', 'checkout.after'])(
  'a death at %s is mended by moving again, with what the person did elsewhere in between',
  async (point) => {
    await using at = await stage();
    const request = { branch: 'main', from: at.from, to: at.to };
    await expect(at.forge(dying(point)).move(request)).rejects.toThrow('killed');
    await writeFile(join(at.repository.path, 'b.txt'), 'mine\n');
    expect(await at.forge().move(request)).toEqual({ kind: 'moved' });
    expect(await at.head()).toBe(at.to);
    expect(await at.status()).toBe(' M b.txt');
    expect(await at.read('a.txt')).toBe('A\n');
  },
);

test('a death after which a touched file was changed takes the branch back', async () => {
  await using at = await stage();
  const request = { branch: 'main', from: at.from, to: at.to };
  await expect(at.forge(dying('checkout.before')).move(request)).rejects.toThrow('killed');
  await writeFile(join(at.repository.path, 'a.txt'), 'mine\n');
  expect(await at.forge().move(request)).toMatchObject({ kind: 'checkout-dirty', files: ['a.txt'] });
  expect(await at.head()).toBe(at.from);
  expect(await at.read('a.txt')).toBe('mine\n');
});

test('a death in the middle of writing files is mended as well', async () => {
  await using at = await stage();
  const request = { branch: 'main', from: at.from, to: at.to };
  await expect(at.forge(dying('checkout.before')).move(request)).rejects.toThrow('killed');
  await writeFiles(at.repository.path, { 'a.txt': 'A\n', 'new/d.txt': 'd\n' });
  await rm(join(at.repository.path, 'gone.txt'));
  expect(await at.forge().move(request)).toEqual({ kind: 'moved' });
  expect(await at.status()).toBe('');
});

test('after a whole merge, later changes to the merged files are no reason to take it back', async () => {
  await using at = await stage();
  const request = { branch: 'main', from: at.from, to: at.to };
  await expect(at.forge(dying('checkout.after')).move(request)).rejects.toThrow('killed');
  await writeFile(join(at.repository.path, 'a.txt'), 'later\n');
  expect(await at.forge().move(request)).toEqual({ kind: 'moved' });
  expect(await at.read('a.txt')).toBe('later\n');
});

test('a file that gets in the way between looking and moving takes everything back', async () => {
  await using at = await stage();
  const late: CrashPoint = (name) =>
    name === 'target-ref.after' ? writeFile(join(at.repository.path, 'a.txt'), 'late\n') : Promise.resolve();
  expect(await at.forge(late).move({ branch: 'main', from: at.from, to: at.to })).toEqual({
    kind: 'checkout-dirty',
    checkout: at.repository.path,
    files: ['a.txt'],
  });
  expect(await at.head()).toBe(at.from);
  expect(await at.status()).toBe(' M a.txt');
});

test("none of the person's hooks runs, and their filters count", async () => {
  await using at = await stage({
    files: { ...SECOND, '.gitattributes': 'up.txt filter=upper\n', 'up.txt': 'quiet\n' },
  });
  const fire = { executable: `#!/bin/sh\ntouch '${at.home}/canary'\n` };
  const hooks = [
    'reference-transaction',
    'post-checkout',
    'post-merge',
    'post-index-change',
    'pre-push',
    'update',
    'post-update',
  ];
  await writeFiles(join(at.repository.path, '.git/hooks'), Object.fromEntries(hooks.map((name) => [name, fire])));
  await at.repository.git('config', 'core.fsmonitor', join(at.repository.path, '.git/hooks/update'));
  await at.repository.git('config', 'filter.upper.smudge', 'tr a-z A-Z');
  await at.repository.git('config', 'filter.upper.clean', 'tr A-Z a-z');
  const forge = at.forge();
  await forge.publish({ branch: 'x', commit: at.to, expected: undefined });
  await forge.move({ branch: 'main', from: at.from, to: at.to });
  await forge.unpublish({ branch: 'x', expected: at.to });
  await forge.push('main');
  await expect(stat(join(at.home, 'canary'))).rejects.toMatchObject({ code: 'ENOENT' });
  expect(await at.read('up.txt')).toBe('QUIET\n');
});

test('a sparse checkout stays sparse', async () => {
  await using at = await stage();
  await at.repository.git('sparse-checkout', 'set', '--no-cone', '/*', '!/new/');
  expect(await at.forge().move({ branch: 'main', from: at.from, to: at.to })).toEqual({ kind: 'moved' });
  expect(await readdir(at.repository.path)).not.toContain('new');
  expect(await at.status()).toBe('');
});

test('a branch is pushed to its upstream, or to the only remote, under the name that it has there', async () => {
  await using at = await stage();
  const forge = at.forge();
  expect(await forge.push('main')).toMatchObject({ kind: 'refused', message: expect.stringContaining('no remote') });
  const remote = join(at.home, 'remote.git');
  await plainGit(at.home, 'init', '--quiet', '--bare', remote);
  await at.repository.git('remote', 'add', 'up.stream', remote);
  expect(await forge.push('main')).toEqual({ kind: 'pushed' });
  await at.repository.git('config', 'branch.main.remote', 'up.stream');
  await at.repository.git('config', 'branch.main.merge', 'refs/heads/trunk');
  expect(await forge.push('main')).toEqual({ kind: 'pushed' });
  expect(await plainGit(remote, 'for-each-ref', '--format=%(refname)')).toBe('refs/heads/main\nrefs/heads/trunk');
  await at.repository.git('remote', 'set-url', 'up.stream', join(at.home, 'missing'));
  expect(await forge.push('main')).toMatchObject({ kind: 'refused', message: expect.stringContaining('missing') });
});
