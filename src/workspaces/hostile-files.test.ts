import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { plainGit } from '../testing/temp-repository.ts';
import { agentIn, type Fixture, fixture, TEXT } from './fixture.ts';
import { LARGEST_FILE } from './tree-scripts.ts';

/** Files that cost nothing to make, and would cost the harness its time or its disk. */

const pathsAt = async (at: Fixture, commit: string) =>
  (await plainGit(at.store.path, 'ls-tree', '-r', '-z', '--name-only', commit))
    .split('\0')
    .filter((path) => path !== '');

test('a file that is too large is left out by name, all others are taken, and a tracked one stays as it was', async () => {
  await using at = await fixture({ 'a.txt': 'a\n', 'grown.bin': 'small\n', '.gitignore': 'ignored\n' });
  const { workspace } = await at.open();
  const path = (name: string) => join(workspace.folder, name);
  await mkdir(path('deep'));
  for (const name of ['grown.bin', 'deep/new one.bin', 'ignored']) {
    await writeFile(path(name), '', { flag: 'a' });
    await truncate(path(name), LARGEST_FILE + 1);
  }
  await agentIn(workspace.folder).write({ 'a.txt': 'changed\n', 'deep/b.txt': 'b\n' });
  const { head, notes } = await workspace.collect(TEXT);
  expect(notes).toEqual(['Files of more than 1 GiB were left out, and are kept nowhere: deep/new one.bin, grown.bin.']);
  expect(await pathsAt(at, head)).toEqual(['.gitignore', 'a.txt', 'deep/b.txt', 'grown.bin']);
  expect(await plainGit(at.store.path, 'show', `${head}:grown.bin`)).toBe('small');
  expect(await plainGit(at.store.path, 'show', `${head}:a.txt`)).toBe('changed');
  expect((await workspace.collect(TEXT)).changed).toBe(false);
});

test('a large file that is ignored is not spoken of', async () => {
  await using at = await fixture({ '.gitignore': 'ignored\n' });
  const { workspace } = await at.open();
  await writeFile(join(workspace.folder, 'ignored'), '');
  await truncate(join(workspace.folder, 'ignored'), LARGEST_FILE + 1);
  expect(await workspace.collect(TEXT)).toEqual({ head: at.base, changed: false, notes: [] });
});

test('a pipe where git reads a file is removed when it is waited for, and said', async () => {
  await using at = await fixture();
  const { workspace } = await at.open();
  execFileSync('mkfifo', [join(workspace.folder, '.gitignore')]);
  await agentIn(workspace.folder).write({ 'b.txt': 'b\n' });
  const { head, notes } = await workspace.collect(TEXT);
  expect(notes).toEqual(['.gitignore was a pipe, and git waited for it: it was removed.']);
  expect(await pathsAt(at, head)).toEqual(['a.txt', 'b.txt']);
});

test('so is one that a link leads git to', async () => {
  await using at = await fixture();
  const { workspace } = await at.open();
  execFileSync('/bin/sh', ['-c', 'mkfifo "new\nline" && rm .git/config && ln -s "../new\nline" .git/config'], {
    cwd: workspace.folder,
  });
  const { notes } = await workspace.collect(TEXT);
  expect(notes).toContain('new\nline was a pipe, and git waited for it: it was removed.');
});

test('commits that unpack to more than a file may have are not taken in, and the files are', async () => {
  await using at = await fixture();
  const { workspace } = await at.open();
  const agent = agentIn(workspace.folder);
  // Beside something that does not pack, so that the size of the pack alone does not tell.
  execFileSync('/bin/sh', ['-c', 'head -c 2000000 /dev/urandom >noise && truncate -s 1100M bomb'], {
    cwd: workspace.folder,
  });
  await agent.git('-c', 'core.compression=1', 'add', '-A');
  await agent.git('commit', '--quiet', '-m', 'bomb');
  await agent.git('rm', '--quiet', '--cached', 'bomb');
  await agent.git('commit', '--quiet', '-m', 'defused');
  const { head, notes } = await workspace.collect(TEXT);
  expect(notes).toContainEqual(expect.stringContaining('could not be read; it was made anew'));
  expect(await pathsAt(at, head)).toEqual(['a.txt', 'noise']);
  const sizes = await plainGit(at.store.path, 'cat-file', '--batch-all-objects', '--batch-check=%(objectsize)');
  expect(Math.max(...sizes.split('\n').map(Number))).toBeLessThan(LARGEST_FILE);
});

test('a pipe that nobody waits for stays', async () => {
  await using at = await fixture();
  const { workspace } = await at.open();
  const pipe = join(workspace.folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  expect((await workspace.collect(TEXT)).notes).toEqual([]);
  expect(existsSync(pipe)).toBe(true);
});
