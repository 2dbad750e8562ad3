import { readdir } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { waitUntil } from '../lib/wait-until.ts';
import type { SandboxedProcess } from '../ports/sandbox.ts';
import { plainSandbox } from '../testing/plain-sandbox.ts';
import { tempFolder } from '../testing/temp-repository.ts';
import { agentIn, fixture, TEXT } from './fixture.ts';
import { ReadyShell } from './ready-shell.ts';

async function readyIn(folder: string) {
  const sandbox = plainSandbox();
  const made: SandboxedProcess[] = [];
  const spawn = async (program: Parameters<typeof sandbox.spawn>[0]) => {
    const process = await sandbox.spawn(program);
    made.push(process);
    return process;
  };
  const env = { PATH: process.env['PATH'] ?? '', ITS_OWN: 'own' };
  const shell = new ReadyShell({ sandbox: { ...sandbox, spawn }, cwd: folder, env, folder });
  return { shell, made };
}

const isThere = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test('a script that comes later runs as it would have from the beginning', async () => {
  await using folder = await tempFolder();
  const { shell } = await readyIn(folder.path);
  await using running = await shell.run(`set -- 'a b' "it's"\necho "$ITS_OWN $1 $2"; pwd; exit 7`);
  if (running === undefined) throw new Error('it did not run');
  running.stderr.resume();
  const [said, exit] = await Promise.all([text(running.stdout), running.exited]);
  expect(said).toBe(`own a b it's\n${folder.path}\n`);
  expect(exit.code).toBe(7);
  expect(await readdir(folder.path)).toEqual([]);
});

test('it runs one script, and no other', async () => {
  await using folder = await tempFolder();
  const { shell } = await readyIn(folder.path);
  await using running = await shell.run('true');
  expect(running).toBeDefined();
  expect(await shell.run('true')).toBeUndefined();
});

test('a script that does not go through a pipe at once is not begun, and nothing is left of the shell', async () => {
  await using folder = await tempFolder();
  const { shell, made } = await readyIn(folder.path);
  expect(await shell.run(`touch begun\n${'#'.repeat(40_000)}`)).toBeUndefined();
  expect(await readdir(folder.path)).toEqual([]);
  await waitUntil(() => !isThere(made[0]?.pid ?? 0), { timeoutMs: 5_000 });
});

test('one that is not wanted any more is gone with its pipe, and runs nothing', async () => {
  await using folder = await tempFolder();
  const { shell, made } = await readyIn(folder.path);
  await waitUntil(async () => (await readdir(folder.path)).length === 1, { timeoutMs: 5_000 });
  await shell[Symbol.asyncDispose]();
  expect(await readdir(folder.path)).toEqual([]);
  expect(await shell.run('touch begun')).toBeUndefined();
  await waitUntil(() => !isThere(made[0]?.pid ?? 0), { timeoutMs: 5_000 });
});

test('one that cannot be started, or ends before it is told, leaves the script to others', async () => {
  await using folder = await tempFolder();
  const sandbox = plainSandbox();
  const parts = { cwd: folder.path, env: {}, folder: folder.path };
  const broken = { ...sandbox, spawn: () => Promise.reject(new Error('no')) };
  expect(await new ReadyShell({ ...parts, sandbox: broken }).run('true')).toBeUndefined();
  const dies = { ...sandbox, spawn: () => sandbox.spawn({ argv: ['/bin/true'], cwd: folder.path, env: {} }) };
  expect(await new ReadyShell({ ...parts, sandbox: dies }).run('true')).toBeUndefined();
});

test('what a workspace collects is the same when git was made ready before the agent wrote it', async () => {
  await using f = await fixture();
  const { workspace } = await f.open();
  await using ready = workspace.prepare?.();
  expect(ready).toBeDefined();
  await agentIn(workspace.folder).write({ 'new.txt': 'new\n' });
  await agentIn(workspace.folder).commit({ 'own.txt': 'own\n' }, 'Its own');
  const before = f.sandbox.started.length;
  const { head, notes } = await workspace.collect(TEXT);
  expect(notes).toEqual([]);
  expect((await agentIn(workspace.folder).git('ls-tree', '--name-only', head)).split('\n')).toEqual(
    expect.arrayContaining(['a.txt', 'new.txt', 'own.txt']),
  );
  // One of two scripts: the other had to be started.
  expect(f.sandbox.started.length - before).toBe(1);
});

test('a workspace that was made ready and collects nothing leaves no pipe', async () => {
  await using f = await fixture();
  const { workspace } = await f.open();
  const git = f.workspaces.layoutOf('r1').git;
  {
    await using _ = workspace.prepare?.();
    await waitUntil(async () => (await readdir(git)).some((name) => name.startsWith('script-')), { timeoutMs: 5_000 });
  }
  expect((await readdir(git)).filter((name) => name.startsWith('script-'))).toEqual([]);
});
