import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { killChild } from '../testing/kill-child.ts';
import { acquireExclusiveLock, readLockNote } from './exclusive-lock.ts';
import { waitUntil } from './wait-until.ts';

let folder: string;
let path: string;
let holder: ChildProcess | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lock-'));
  path = join(folder, 'it.lock');
});

afterEach(async () => {
  if (holder) await killChild(holder);
  holder = undefined;
  await rm(folder, { recursive: true });
});

test('a lock is refused while this process holds it, and free after its release', async () => {
  {
    await using first = await acquireExclusiveLock(path);
    expect(first?.path).toBe(path);
    expect(await acquireExclusiveLock(path)).toBeUndefined();
  }
  await using second = await acquireExclusiveLock(path);
  expect(second).toBeDefined();
});

test('a lock is refused while another process holds it, even a stopped one, and free when that is killed', async () => {
  holder = await holdElsewhere(path);
  expect(await acquireExclusiveLock(path)).toBeUndefined();
  holder.kill('SIGSTOP');
  expect(await acquireExclusiveLock(path)).toBeUndefined();
  await killChild(holder);
  await using mine = await acquireExclusiveLock(path);
  expect(mine).toBeDefined();
});

test('the note names the holder, also for those who are refused, and goes with the release', async () => {
  holder = await holdElsewhere(path);
  expect(await acquireExclusiveLock(path)).toBeUndefined();
  expect((await readLockNote(path))?.pid).toBe(holder.pid);
  await killChild(holder);
  const mine = await acquireExclusiveLock(path);
  await mine?.describe({ address: 'somewhere', pid: 1 });
  expect(await readLockNote(path)).toMatchObject({ pid: process.pid, address: 'somewhere' });
  await mine?.release();
  await mine?.release();
  expect(await readLockNote(path)).toBeUndefined();
  expect(existsSync(path)).toBe(true);
});

test('of many that try at once, exactly one gets the lock', async () => {
  const locks = await Promise.all(Array.from({ length: 8 }, () => acquireExclusiveLock(path)));
  const taken = locks.filter((lock) => lock !== undefined);
  expect(taken).toHaveLength(1);
  await taken[0]?.release();
});

test('a file that is no lock, or a folder that is not there, is an error and not a refusal', async () => {
  await writeFile(path, 'not a database, but long enough to be read as one'.repeat(100));
  await expect(acquireExclusiveLock(path)).rejects.toMatchObject({ code: 'lock/unusable' });
  await expect(acquireExclusiveLock(join(folder, 'absent', 'it.lock'))).rejects.toMatchObject({
    code: 'lock/unusable',
  });
});

async function holdElsewhere(path: string): Promise<ChildProcess> {
  const program = `
    const { acquireExclusiveLock } = await import(${JSON.stringify(new URL('exclusive-lock.ts', import.meta.url).href)});
    const lock = await acquireExclusiveLock(${JSON.stringify(path)});
    process.stdout.write(lock ? 'held' : 'refused');
    setInterval(() => lock, 60_000);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += String(chunk);
  });
  await waitUntil(() => said !== '', { timeoutMs: 10_000, what: 'the other process has answered' });
  expect(said).toBe('held');
  return child;
}
