import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { CrashPoint } from '../../../lib/crash-point.ts';
import { writeFiles } from '../../../testing/temp-repository.ts';
import { dying, stage } from './fixture.ts';

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
