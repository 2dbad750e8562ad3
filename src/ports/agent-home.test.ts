import { execFileSync } from 'node:child_process';
import { link, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type TempFolder, tempFolder } from '../testing/temp-repository.ts';
import { findFile, makeFolder, putFile, readEnd, readWhole } from './agent-home.ts';

let temp: TempFolder;
let home: string;
let outside: string;
beforeEach(async () => {
  temp = await tempFolder();
  home = join(temp.path, 'home');
  outside = join(temp.path, 'outside');
  await mkdir(home);
  await writeFile(outside, 'untouched');
});
afterEach(async () => temp[Symbol.asyncDispose]());

test('a regular file is read, all of it or its end, and not more than was allowed', async () => {
  const file = join(home, 'file');
  await writeFile(file, '0123456789');
  expect(readWhole(file, 10)).toBe('0123456789');
  expect(readWhole(file, 9)).toBeUndefined();
  expect(readEnd(file, 3)).toBe('789');
  expect(readEnd(file, 100)).toBe('0123456789');
});

test('a pipe that nobody writes to, a link, a folder and nothing are no files', async () => {
  execFileSync('sh', ['-c', 'mkfifo "$0"', join(home, 'pipe')]);
  await symlink(outside, join(home, 'link'));
  await mkdir(join(home, 'folder'));
  for (const name of ['pipe', 'link', 'folder', 'nothing']) {
    expect(readEnd(join(home, name), 10)).toBeUndefined();
    expect(readWhole(join(home, name), 10)).toBeUndefined();
    expect(findFile(home, home, { depth: 0, matches: (found) => found === name })).toBeUndefined();
  }
});

test('a file is found so many folders deep, and behind no link', async () => {
  await mkdir(join(home, 'a', 'b'), { recursive: true });
  await writeFile(join(home, 'a', 'b', 'wanted'), '');
  await symlink(temp.path, join(home, 'round'));
  const find = (name: string, depth: number) => findFile(home, home, { depth, matches: (found) => found === name });
  expect(find('wanted', 2)).toBe(join(home, 'a', 'b', 'wanted'));
  expect(find('wanted', 1)).toBeUndefined();
  expect(find('outside', 9)).toBeUndefined();
});

test('nothing is found by a folder that is a link, nor on the way to one', async () => {
  const elsewhere = join(temp.path, 'elsewhere');
  await mkdir(join(elsewhere, 'sessions'), { recursive: true });
  await writeFile(join(elsewhere, 'sessions', 'wanted'), '');
  await mkdir(join(home, '.own', 'sessions'), { recursive: true });
  await writeFile(join(home, '.own', 'sessions', 'wanted'), '');
  await mkdir(join(home, '.last'));
  await symlink(join(elsewhere, 'sessions'), join(home, '.last', 'sessions'));
  await symlink(elsewhere, join(home, '.first'));
  const find = (folder: string) =>
    findFile(home, join(home, folder, 'sessions'), { depth: 1, matches: (found) => found === 'wanted' });
  expect(find('.own')).toBe(join(home, '.own', 'sessions', 'wanted'));
  for (const linked of ['.last', '.first', '.none']) expect(find(linked)).toBeUndefined();
});

test('what is put somewhere takes the place of a link, a hard link or a pipe, and changes nothing that these lead to', async () => {
  await symlink(outside, join(home, 'link'));
  await link(outside, join(home, 'hard'));
  execFileSync('sh', ['-c', 'mkfifo "$0"', join(home, 'pipe')]);
  for (const name of ['link', 'hard', 'pipe', 'new']) {
    await putFile(home, join(home, name), 'put');
    expect(readWhole(join(home, name), 10)).toBe('put');
    expect((await stat(join(home, name))).mode & 0o777).toBe(0o600);
  }
  expect(await readFile(outside, 'utf8')).toBe('untouched');
  expect((await readdir(home)).sort()).toEqual(['hard', 'link', 'new', 'pipe']);
});

test('nothing is written through a folder that is a link, or HOME itself', async () => {
  const elsewhere = join(temp.path, 'elsewhere');
  await mkdir(elsewhere);
  await symlink(elsewhere, join(home, '.agent'));
  await symlink(elsewhere, join(temp.path, 'linked'));
  await expect(putFile(home, join(home, '.agent', 'file'), '')).rejects.toMatchObject({ code: 'agent/unsafe-home' });
  await expect(makeFolder(home, join(home, '.agent', 'x'))).rejects.toMatchObject({ code: 'agent/unsafe-home' });
  const linked = join(temp.path, 'linked');
  await expect(putFile(linked, join(linked, 'file'), '')).rejects.toMatchObject({ code: 'agent/unsafe-home' });
  expect(await readdir(elsewhere)).toEqual([]);
});
