import { join } from 'node:path';
import { expect, test } from 'vitest';
import { smallDisk } from '../../testing/small-disk.ts';
import { tempFolder, tempRepository } from '../../testing/temp-repository.ts';
import { changedPaths, diffStat, diffText } from './diff.ts';
import { gitEnvironment } from './environment.ts';
import { git, gitLine, runGit } from './git.ts';
import { changeRef, changeRefs, listRefs, readRef, resolveCommit } from './refs.ts';

test('a command that fails is a value, or an error with what git said', async () => {
  await using folder = await tempFolder();
  const result = await runGit(['-C', folder.path, 'log']);
  expect(result).toMatchObject({ code: 128, stderr: expect.stringContaining('not a git repository') });
  await expect(git(['-C', folder.path, 'log'])).rejects.toMatchObject({
    code: 'git/failed',
    message: expect.stringContaining('not a git repository'),
  });
});

test('an aborted command ends and rejects with the reason', async () => {
  const ending = new AbortController();
  const running = runGit(['-c', 'alias.wait=!sleep 60', 'wait'], { signal: ending.signal });
  ending.abort(new Error('enough'));
  await expect(running).rejects.toThrow('enough');
});

test('a command that does not read its input ends as usual', async () => {
  expect(await runGit(['version'], { input: 'x'.repeat(10_000_000) })).toMatchObject({ code: 0 });
});

test("nothing of the caller's environment decides where git works", () => {
  process.env['GIT_DIR'] = '/elsewhere';
  process.env['GIT_CONFIG_PARAMETERS'] = "'core.fsmonitor=x'";
  try {
    for (const flavour of ['harness', 'user'] as const) {
      expect(gitEnvironment({ flavour })).not.toHaveProperty('GIT_DIR');
      expect(gitEnvironment({ flavour })).not.toHaveProperty('GIT_CONFIG_PARAMETERS');
    }
    expect(gitEnvironment({ flavour: 'user' })).toMatchObject({ HOME: process.env['HOME'] });
    expect(gitEnvironment()).toMatchObject({ GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' });
  } finally {
    delete process.env['GIT_DIR'];
    delete process.env['GIT_CONFIG_PARAMETERS'];
  }
});

test('a ref moves only from where it is believed to be', async () => {
  await using repository = await tempRepository();
  const gitDir = join(repository.path, '.git');
  const one = await repository.git('rev-parse', 'HEAD');
  const two = await repository.commit({ 'b.txt': 'b\n' });
  const ref = 'refs/switchyard/test/ref';
  expect(await changeRef(gitDir, { ref, to: one, from: null })).toBe(true);
  expect(await changeRef(gitDir, { ref, to: two, from: null })).toBe(false);
  expect(await changeRef(gitDir, { ref, to: one, from: null })).toBe(true);
  expect(await changeRef(gitDir, { ref, to: one, from: two })).toBe(true);
  expect(await changeRef(gitDir, { ref, to: two, from: one })).toBe(true);
  expect(await readRef(gitDir, ref)).toBe(two);
  expect(await changeRef(gitDir, { ref, to: null, from: one })).toBe(false);
  expect(await changeRef(gitDir, { ref, to: null, from: two })).toBe(true);
  expect(await readRef(gitDir, ref)).toBeUndefined();
});

test('changes of several refs happen all or not at all', async () => {
  await using repository = await tempRepository();
  const gitDir = join(repository.path, '.git');
  const head = await repository.git('rev-parse', 'HEAD');
  await changeRefs(gitDir, [
    { ref: 'refs/x/a', to: head, from: null },
    { ref: 'refs/x/b', to: head },
  ]);
  const impossible = changeRefs(gitDir, [
    { ref: 'refs/x/c', to: head, from: null },
    { ref: 'refs/x/a', to: head, from: null },
  ]);
  await expect(impossible).rejects.toMatchObject({ code: 'git/failed' });
  expect(await listRefs(gitDir, 'refs/x/')).toEqual([
    { ref: 'refs/x/a', commit: head },
    { ref: 'refs/x/b', commit: head },
  ]);
});

test('a revision that names no commit is undefined, also one that looks like an option', async () => {
  await using repository = await tempRepository();
  const gitDir = join(repository.path, '.git');
  const head = await repository.git('rev-parse', 'HEAD');
  expect(await resolveCommit(gitDir, 'main')).toBe(head);
  expect(await resolveCommit(gitDir, 'missing')).toBeUndefined();
  expect(await resolveCommit(gitDir, '--all')).toBeUndefined();
  expect(await resolveCommit(gitDir, 'HEAD^{tree}')).toBeUndefined();
});

test('a difference is told as text, by file and by path, without running configured programs', async () => {
  await using repository = await tempRepository({ 'old name': 'a\nb\nc\nd\n', 'bin\n': 'a\0' });
  const gitDir = join(repository.path, '.git');
  await repository.git('config', 'diff.external', 'false');
  const from = await repository.git('rev-parse', 'HEAD');
  await repository.git('mv', 'old name', 'new "name"');
  const to = await repository.commit({ 'bin\n': 'b\0', 'c.txt': 'one\ntwo\n' });
  expect(await diffText(gitDir, from, to)).toContain('rename from old name');
  expect(await diffStat(gitDir, from, to)).toEqual([
    { path: 'bin\n', added: null, removed: null },
    { path: 'c.txt', added: 2, removed: 0 },
    { path: 'new "name"', added: 4, removed: 0 },
    { path: 'old name', added: 0, removed: 4 },
  ]);
  expect(await changedPaths(gitDir, from, to)).toEqual(['bin\n', 'c.txt', 'new "name"', 'old name']);
});

test('a full disk has a code of its own', async ({ skip }) => {
  await using disk = await smallDisk();
  if (disk === undefined) return skip('only root can mount a small disk here');
  await git(['init', '--quiet', '--template=', disk.path]);
  const input = Array.from({ length: 100_000 }, () => Math.random()).join();
  const full = gitLine(['-C', disk.path, 'hash-object', '-w', '--stdin'], { input });
  return expect(full).rejects.toMatchObject({ code: 'git/disk-full', retry: 'backoff' });
});
