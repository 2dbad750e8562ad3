import { chmod, link, mkdir, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { waitUntil } from '../lib/wait-until.ts';
import { tempFolder } from '../testing/temp-repository.ts';
import { LastLook } from './last-look.ts';

/** A look that git has just had, with some files in the folder and time enough for all to be sure. */
async function remembered(folder: string): Promise<LastLook> {
  await mkdir(join(folder, 'deep/er'), { recursive: true });
  await mkdir(join(folder, '.git'));
  for (const file of ['one', 'deep/two', 'deep/er/three', '.git/config']) await writeFile(join(folder, file), 'text');
  const look = new LastLook({ tree: folder, written: folder });
  await waitUntil(
    () => {
      look.remember('a tree', look.print());
      return look.tree() !== undefined;
    },
    { timeoutMs: 10_000 },
  );
  return look;
}

test('the tree is known as long as nothing was written', async () => {
  await using folder = await tempFolder();
  const look = await remembered(folder.path);
  expect(look.tree()).toBe('a tree');
  await writeFile(join(folder.path, '.git/config'), 'an agent’s own');
  expect(look.tree()).toBe('a tree');
});

test.for([
  ['a file is new', (at) => writeFile(join(at, 'deep/er/new'), '')],
  ['a folder is new', (at) => mkdir(join(at, 'deep/new'))],
  ['a file is gone', (at) => rm(join(at, 'deep/two'))],
  ['a file has another name', (at) => rename(join(at, 'one'), join(at, 'none'))],
  ['a file took the place of another', (at) => rename(join(at, 'one'), join(at, 'deep/two'))],
  ['a file has another mode', (at) => chmod(join(at, 'one'), 0o755)],
  ['a folder has another mode', (at) => chmod(join(at, 'deep/er'), 0o700)],
  ['a file has another name as well', (at) => link(join(at, 'one'), join(at, 'other'))],
  ['a git directory lies below', (at) => mkdir(join(at, 'deep/.git'))],
] satisfies [string, (at: string) => Promise<unknown>][])('it is not known any more when %s', async ([, change]) => {
  await using folder = await tempFolder();
  const look = await remembered(folder.path);
  await change(folder.path);
  expect(look.tree()).toBeUndefined();
});

test('it is not known any more when a file was written with the same size, and its time set back', async () => {
  await using folder = await tempFolder();
  const look = await remembered(folder.path);
  const file = join(folder.path, 'one');
  await utimes(file, 1, 1);
  await waitUntil(
    () => {
      look.remember('a tree', look.print());
      return look.tree() !== undefined;
    },
    { timeoutMs: 10_000 },
  );
  await writeFile(file, 'TEXT');
  await utimes(file, 1, 1);
  expect(look.tree()).toBeUndefined();
});

test('nothing is remembered where something was written while git looked', async () => {
  await using folder = await tempFolder();
  const look = await remembered(folder.path);
  const before = look.print();
  await mkdir(join(folder.path, 'meanwhile'));
  look.remember('a tree', before);
  expect(look.tree()).toBeUndefined();
});

test('nothing is remembered of files that are too many, of a folder that is not there, or without one', async () => {
  await using folder = await tempFolder();
  for (let n = 0; n <= 1_000; n++) await mkdir(join(folder.path, String(n)));
  for (const written of [folder.path, join(folder.path, 'none'), undefined]) {
    const look = new LastLook({ tree: folder.path, written });
    expect(look.print()).toBeUndefined();
    look.remember('a tree', undefined);
    expect(look.tree()).toBeUndefined();
  }
});

test('what is forgotten is looked for again', async () => {
  await using folder = await tempFolder();
  const look = await remembered(folder.path);
  look.forget();
  expect(look.tree()).toBeUndefined();
});
