import { chmod, chown, lstat, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeSocketFolder } from './socket-folder.ts';

const asRoot = process.getuid?.() === 0 ? test : test.skip;
const account = { prefix: [] };
let parent: string;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'socket-'));
});

afterEach(() => rm(parent, { recursive: true }));

test('the folder is made for its owner only, and one that is there is closed to others', async () => {
  const folder = join(parent, 'it');
  for (let time = 1; time <= 2; time++) {
    expect(await makeSocketFolder(folder, account)).toBe(folder);
    expect((await lstat(folder)).mode & 0o777).toBe(0o700);
    await chmod(folder, 0o755);
  }
});

test('a link is refused, wherever it leads', async () => {
  await mkdir(join(parent, 'elsewhere'));
  await symlink('elsewhere', join(parent, 'it'));
  const making = makeSocketFolder(join(parent, 'it'), account);
  await expect(making).rejects.toMatchObject({ code: 'database/no-socket-folder' });
});

asRoot('a folder that belongs to somebody else is refused', async () => {
  await mkdir(join(parent, 'it'));
  await chown(join(parent, 'it'), 65_534, 65_534);
  const making = makeSocketFolder(join(parent, 'it'), account);
  await expect(making).rejects.toMatchObject({ code: 'database/no-socket-folder' });
});

test('a path that is too long is replaced by a short one, always the same', async () => {
  const long = join(parent, 'long'.repeat(30));
  const short = await makeSocketFolder(long, account);
  expect(short.length).toBeLessThan(80);
  expect(await makeSocketFolder(long, account)).toBe(short);
  const other = await makeSocketFolder(`${long}er`, account);
  expect(other).not.toBe(short);
  await rm(short, { recursive: true });
  await rm(other, { recursive: true });
});
