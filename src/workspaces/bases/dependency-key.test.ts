import { mkdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../lib/clock.ts';
import { waitUntil } from '../../lib/wait-until.ts';
import { plainSandbox } from '../../testing/plain-sandbox.ts';
import { fixture } from '../fixture.ts';
import { DependencyKeys } from './dependency-key.ts';

test('a tool that is installed, changed or removed gives another key, also in a folder that was looked at before', async () => {
  await using at = await fixture({ 'package.json': '{}' });
  const bin = join(at.folder, '../bin');
  const elsewhere = join(at.folder, '../elsewhere');
  await mkdir(bin);
  const keys = new DependencyKeys();
  const setup = { command: 'npm ci', env: { PATH: bin }, timeoutMs: 1_000, onOutput: () => undefined };
  const key = async () => {
    // Only then what a folder holds is remembered.
    const isOld = async () => (await stat(bin)).ctimeMs < systemClock.now() - 50;
    await waitUntil(isOld, { timeoutMs: 5_000 });
    return keys.keyOf({ store: at.store.path, treeish: at.base, setup, sandbox: plainSandbox() });
  };
  const none = await key();
  expect(await key()).toBe(none);
  await writeFile(join(bin, 'unrelated'), '');
  expect(await key()).toBe(none);
  await symlink(elsewhere, join(bin, 'node'));
  expect(await key()).toBe(none);
  await writeFile(elsewhere, 'one');
  const one = await key();
  expect(one).not.toBe(none);
  expect(await key()).toBe(one);
  await writeFile(elsewhere, 'another');
  expect(await key()).not.toBe(one);
  await rm(join(bin, 'node'));
  expect(await key()).toBe(none);
});
