import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cgroup1Places } from './cgroup1.ts';

// What a real kernel does is tried in probe.test.ts; here, what its files say at times that cannot be had at will.
let group = '';
beforeEach(async () => {
  group = await mkdtemp(join(tmpdir(), 'switchyard-cgroup1-'));
});
afterEach(() => rm(group, { recursive: true }));

const at = (own: string) => ({ root: '/', own });
const places = cgroup1Places({
  v1: { memory: at('/m'), cpu: at('/c'), pids: at('/p'), freezer: at('/f') },
  v2: undefined,
});
const ofMemory = places.find(({ holds }) => holds.includes('memory'));

async function memory(ended: number, used: string) {
  await writeFile(join(group, 'memory.oom_control'), `oom_kill_disable 0\nunder_oom 0\noom_kill ${ended}\n`);
  await writeFile(join(group, 'memory.max_usage_in_bytes'), `${used}\n`);
  return ofMemory?.breaches.memory?.(group, 100_000_000);
}

test('each controller that is there holds to one limit, below our own place', () => {
  expect(places.map(({ parent, holds }) => [parent, ...holds])).toEqual([
    ['/m', 'memory'],
    ['/p', 'processes'],
    ['/c', 'cpus'],
  ]);
  expect(cgroup1Places({ v1: { pids: at('/p') }, v2: undefined })).toHaveLength(1);
});

test('limits are written in the words of the kernel, and only those that are set', () => {
  const written = (limits: Parameters<NonNullable<typeof ofMemory>['settings']>[0]) =>
    places.flatMap(({ settings }) => settings(limits)).map(({ file, text }) => `${file} ${text}`);
  expect(written({ memory: 4096, cpus: 0.5, processes: 9 })).toEqual([
    'memory.limit_in_bytes 4096',
    'memory.memsw.limit_in_bytes 4096',
    'pids.max 9',
    'cpu.cfs_period_us 100000',
    'cpu.cfs_quota_us 50000',
  ]);
  expect(written({ disk: 5 })).toEqual([]);
});

test('memory was run into when a process was ended at the limit', async () => {
  expect(await memory(1, '99995904')).toEqual({ limit: 'memory', max: 100_000_000, used: 99_995_904 });
});

test('memory was not run into when the limit was only met, or the machine ended a process', async () => {
  expect(await memory(0, '100000000')).toBeUndefined();
  expect(await memory(1, '20000000')).toBeUndefined();
});
