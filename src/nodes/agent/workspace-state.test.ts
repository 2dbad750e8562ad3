import { rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCommand } from '../../checks/command.ts';
import type { Workspace } from '../../ports/workspace.ts';
import { plainSandbox } from '../../testing/plain-sandbox.ts';
import { tempFolder } from '../../testing/temp-repository.ts';
import { workspaceState } from './workspace-state.ts';

test('the state of a workspace is the same as long as its changed files hold the same', async () => {
  await using temp = await tempFolder();
  const file = join(temp.path, 'file');
  const link = join(temp.path, 'link');
  const large = join(temp.path, 'large');
  const changed = ['absent', 'file', 'large', 'link', 'pipe'];
  const workspace = { folder: temp.path, changedSince: async () => changed } as unknown as Workspace;
  const state = () => workspaceState(workspace, 'base');
  await writeFile(file, 'one');
  await symlink('/etc/hostname', link);
  await writeFile(large, '');
  await truncate(large, 1024 * 1024);
  await utimes(large, 1, 1);
  await runCommand({
    command: 'mkfifo pipe',
    folder: temp.path,
    sandbox: plainSandbox(),
    env: { PATH: process.env['PATH'] ?? '' },
    timeoutMs: 10_000,
    signal: new AbortController().signal,
  });

  const before = await state();
  await writeFile(file, 'one');
  expect(await state()).toBe(before);
  await writeFile(file, 'two');
  expect(await state()).not.toBe(before);
  await writeFile(file, 'one');
  await utimes(large, 2, 2);
  expect(await state()).not.toBe(before);
  await utimes(large, 1, 1);
  expect(await state()).toBe(before);
  await rm(link);
  await symlink('/etc/passwd', link);
  expect(await state()).not.toBe(before);
});
