import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../clock.ts';
import { waitUntil } from '../wait-until.ts';
import { canWatchDisk, watchDisk } from './disk-watch.ts';
import type { LimitBreach } from './limits.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchyard-disk-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** A clock that counts the pauses, so that a test can wait for a number of looks. */
function countingClock() {
  let pauses = 0;
  return {
    now: () => 0,
    async sleep(_: number, signal?: AbortSignal) {
      pauses++;
      await systemClock.sleep(1, signal);
    },
    pauses: () => pauses,
  };
}

const MB = 2 ** 20;
const write = (path: string, bytes: number) => writeFile(join(folder, path), Buffer.alloc(bytes, 1));

function watched(options: { readonly signal?: AbortSignal; readonly folders?: readonly string[] } = {}) {
  const told: LimitBreach[] = [];
  const clock = countingClock();
  const watch = watchDisk({
    folders: [folder],
    max: 2 * MB,
    everyMs: 5,
    clock,
    onPast: (breach) => told.push(breach),
    ...options,
  });
  const looks = (count: number) => waitUntil(() => clock.pauses() >= count, { timeoutMs: 20_000 });
  return { told, clock, watch, looks };
}

test.runIf(await canWatchDisk())('more than the most is told, once', async () => {
  const { told, watch, looks } = watched();
  await looks(2);
  expect(told).toEqual([]);
  await write('big', 3 * MB);
  await waitUntil(() => told.length > 0, { timeoutMs: 20_000 });
  await watch[Symbol.asyncDispose]();
  expect(told).toEqual([{ limit: 'disk', max: 2 * MB, used: expect.any(Number) }]);
  expect(told[0]?.used).toBeGreaterThan(2 * MB);
});

test('less is not told, nor what a link leads to, nor a folder that is not there', async () => {
  const elsewhere = await mkdtemp(join(tmpdir(), 'switchyard-elsewhere-'));
  try {
    await writeFile(join(elsewhere, 'big'), Buffer.alloc(5 * MB, 1));
    await symlink(elsewhere, join(folder, 'link'));
    await write('small', MB);
    const { told, watch, looks } = watched({ folders: [folder, join(folder, 'none')] });
    await looks(3);
    await watch[Symbol.asyncDispose]();
    expect(told).toEqual([]);
  } finally {
    await rm(elsewhere, { recursive: true });
  }
});

test('nothing is told after the signal, nor after disposing', async () => {
  const stop = new AbortController();
  const first = watched({ signal: stop.signal });
  const second = watched();
  await Promise.all([first.looks(1), second.looks(1)]);
  stop.abort();
  await second.watch[Symbol.asyncDispose]();
  await write('big', 3 * MB);
  await first.watch[Symbol.asyncDispose]();
  expect([...first.told, ...second.told]).toEqual([]);
});
