import { spawnSync } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tempFolder } from '../testing/temp-repository.ts';
import { spreadFolders } from './spread-folders.ts';

const flagsOf = (path: string) =>
  spawnSync('lsattr', ['-d', '--', path], { encoding: 'utf8' }).stdout?.split(' ')[0] ?? '';
const knowsIt = (path: string) => spawnSync('chattr', ['+T', '--', path]).status === 0;

test('folders within are spread where the file system can, and it is said again without harm', async ({ skip }) => {
  await using folder = await tempFolder();
  await using other = await tempFolder();
  skip(!knowsIt(other.path), 'no ext4 here');
  expect(flagsOf(folder.path)).not.toContain('T');
  await spreadFolders(folder.path);
  await spreadFolders(folder.path);
  expect(flagsOf(folder.path)).toContain('T');
});

test('where nobody can tell the file system, nothing happens', async () => {
  await using folder = await tempFolder();
  await spreadFolders(join(folder.path, 'missing'));
  await spreadFolders('/proc/self');
  expect(await readdir(folder.path)).toEqual([]);
});
