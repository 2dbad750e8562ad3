import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { whichOn } from './which.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchyard-which-'));
  for (const name of ['a', 'b']) {
    await mkdir(join(folder, name));
    await writeFile(join(folder, name, 'tool'), '');
  }
  await mkdir(join(folder, 'a', 'folder'));
  await chmod(join(folder, 'b', 'tool'), 0o755);
});
afterAll(() => rm(folder, { recursive: true }));

test('finds the first executable of that name', async () => {
  const which = whichOn(`/no/such:${folder}/a:relative::${folder}/b`);
  expect(await which('tool')).toBe(join(folder, 'b', 'tool'));
});

test('finds neither folders nor what is not there', async () => {
  const which = whichOn(`${folder}/a`);
  expect(await which('folder')).toBe(undefined);
  expect(await which('nothing')).toBe(undefined);
});

test('takes a name with a slash from the working directory', async () => {
  expect(await whichOn('', folder)('b/tool')).toBe(join(folder, 'b', 'tool'));
  expect(await whichOn(`${folder}/b`, folder)('./tool')).toBe(undefined);
});

test('finds nothing without a PATH', async () => {
  expect(await whichOn(undefined)('sh')).toBe(undefined);
});
