import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { noCrashPoint } from '../../../lib/crash-point.ts';
import { plainGit } from '../../../testing/temp-repository.ts';
import { bringObjects } from './bring-objects.ts';
import { stage } from './fixture.ts';
import { createLocalForge } from './index.ts';
import { moveBranch } from './move-branch.ts';

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

test('a sparse checkout stays sparse', async () => {
  await using at = await stage();
  await at.repository.git('sparse-checkout', 'set', '--no-cone', '/*', '!/new/');
  expect(await at.forge().move({ branch: 'main', from: at.from, to: at.to })).toEqual({ kind: 'moved' });
  expect(await readdir(at.repository.path)).not.toContain('new');
  expect(await at.status()).toBe('');
});

test('what a person begins while the objects come over is seen: a checkout of the branch, and a merge in one', async () => {
  await using at = await stage();
  await at.repository.git('switch', '--quiet', '-c', 'other');
  const gitDir = join(at.repository.path, '.git');
  const linked = join(at.home, 'linked');
  const repository = { gitDir, mirror: at.mirror, crashPoint: noCrashPoint };
  const bring = async () => {
    await bringObjects({ gitDir, mirror: at.mirror, commit: at.to });
    await at.repository.git('worktree', 'add', '--quiet', linked, 'main');
    await writeFile(join(gitDir, 'worktrees/linked/MERGE_HEAD'), `${at.from}\n`);
  };
  const move = { branch: 'main', from: at.from, to: at.to, message: 'x' };
  expect(await moveBranch(repository, { ...move, bring })).toMatchObject({ kind: 'blocked', checkout: linked });
  await rm(join(gitDir, 'worktrees/linked/MERGE_HEAD'));
  expect(await moveBranch(repository, { ...move, bring: () => Promise.resolve() })).toEqual({ kind: 'moved' });
  expect(await plainGit(linked, 'status', '--porcelain')).toBe('');
});

test('on a branch that has gone elsewhere, what comes over does not lack its history', async () => {
  await using at = await stage();
  await at.repository.git('checkout', '--quiet', '--orphan', 'new');
  const elsewhere = await at.repository.commit({ 'new.txt': 'new\n' });
  await at.repository.git('branch', '--force', 'main', 'new');
  await at.repository.git('reflog', 'expire', '--expire=now', '--all');
  await at.repository.git('gc', '--quiet', '--prune=now');
  const moved = await at.forge().move({ branch: 'main', from: at.from, to: at.to });
  expect(moved).toEqual({ kind: 'target-moved', actual: elsewhere });
  expect(await at.repository.git('rev-list', '--count', at.to)).toBe('2');
});
