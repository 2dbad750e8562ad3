import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, describe, expect, test } from 'vitest';
import { randomIds } from '../ids.ts';
import { isAlive } from '../processes.ts';
import { waitUntil } from '../wait-until.ts';
import { homeFolderName } from './group-name.ts';
import { readHierarchies } from './hierarchies.ts';
import type { LimitedGroup } from './limits.ts';
import { probeResources } from './probe.ts';

const homeId = randomIds();
const { control, mechanism, notes } = await probeResources({ homeId });
const MB = 2 ** 20;
/** Only control groups tell what was run into. */
const holds = (limit: 'memory' | 'cpus' | 'processes') =>
  mechanism.includes('cgroup') && control.enforces.includes(limit);

/** Starts a script that runs on only when it has been taken in. */
async function startIn(group: LimitedGroup, script: string, ...args: readonly string[]): Promise<ChildProcess> {
  const child = spawn('/bin/sh', ['-c', `read go; ${script}`, 'sh', ...args], { stdio: ['pipe', 'ignore', 'ignore'] });
  await group.admit([child.pid ?? 0]);
  child.stdin.write('go\n');
  return child;
}

async function exitOf(child: ChildProcess): Promise<number | string | null> {
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  return code ?? signal;
}

/** The folder of the process's group in the tree that has the controller. */
function folderOf(pid: number | 'self', controller: string): string {
  const { v1, v2 } = readHierarchies();
  const isV1 = v1[controller] !== undefined;
  const lines = readFileSync(`/proc/${pid}/cgroup`, 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const path = lines.find(([, names = '']) => (isV1 ? names.split(',').includes(controller) : names === ''))?.[2] ?? '';
  return join((isV1 ? v1[controller]?.root : v2?.root) ?? '', path);
}

test('something is said where a limit does not hold in full here, and only then', () => {
  const isAllHeld = holds('memory') && holds('cpus') && holds('processes');
  expect(notes.length > 0).toBe(!isAllHeld);
  expect(mechanism === 'none').toBe(control.enforces.length === 0);
});

describe.skipIf(!holds('memory'))('memory', () => {
  const ALLOCATE = 'exec "$1" -e "Buffer.alloc($2, 1)"';

  test('a program that wants more is ended, and that is told', async () => {
    await using group = await control.start({ memory: 100 * MB });
    const child = await startIn(group, ALLOCATE, process.execPath, `${400 * MB}`);
    expect(await exitOf(child)).toBe('SIGKILL');
    expect(await group.breach()).toEqual({ limit: 'memory', max: 100 * MB, used: expect.any(Number) });
  });

  test('one that stays below goes on to its end', async () => {
    await using group = await control.start({ memory: 200 * MB });
    const child = await startIn(group, ALLOCATE, process.execPath, `${40 * MB}`);
    expect(await exitOf(child)).toBe(0);
    expect(await group.breach()).toBeUndefined();
  });

  test('a file larger than the limit can be written: what the page cache holds is dropped, and nothing is told', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'switchyard-cache-'));
    try {
      await using group = await control.start({ memory: 32 * MB });
      // In pieces that the disk has before the next: control groups of version 1 do not slow down who writes faster than the disk takes it.
      const write = 'dd if=/dev/zero bs=1M count=8 oflag=append conv=notrunc,fsync of="$1/file" || exit 1';
      const child = await startIn(group, `for n in 1 2 3 4 5 6 7 8 9 10 11 12; do ${write}; done`, folder);
      expect(await exitOf(child)).toBe(0);
      expect(await group.breach()).toBeUndefined();
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe.skipIf(!holds('processes'))('processes', () => {
  const SLEEPERS = 'i=0; while [ $i -lt $1 ]; do sleep 60 & i=$((i + 1)); done; exit 0';

  test('a program that starts more is refused, and that is told', async () => {
    await using group = await control.start({ processes: 32 });
    const child = await startIn(group, SLEEPERS, '200');
    expect(await exitOf(child)).not.toBe(0);
    expect(await group.breach()).toMatchObject({ limit: 'processes', max: 32 });
  });

  test('one that starts fewer is not, and what it leaves running is ended by disposing', async () => {
    const group = await control.start({ processes: 32 });
    const child = await startIn(group, SLEEPERS, '20');
    expect(await exitOf(child)).toBe(0);
    expect(await group.breach()).toBeUndefined();
    await group[Symbol.asyncDispose]();
    expect(await group.breach()).toBeUndefined();
  });

  test('what was run into is still told after disposing', async () => {
    const group = await control.start({ processes: 8 });
    await exitOf(await startIn(group, SLEEPERS, '50'));
    await group[Symbol.asyncDispose]();
    expect(await group.breach()).toMatchObject({ limit: 'processes', max: 8 });
  });
});

describe.skipIf(!holds('cpus'))('processor time', () => {
  const BUSY = 'while :; do :; done';

  test('a busy program is slowed down, and that is no breach', async () => {
    await using group = await control.start({ cpus: 0.2 });
    const child = await startIn(group, BUSY);
    const folder = folderOf(child.pid ?? 0, 'cpu');
    const throttled = () => Number(/^nr_throttled (\d+)$/m.exec(readFileSync(join(folder, 'cpu.stat'), 'utf8'))?.[1]);
    await waitUntil(() => throttled() > 1, { timeoutMs: 30_000 });
    expect(await group.breach()).toBeUndefined();
  });

  test.skipIf(readHierarchies().v1['cpu'] === undefined)('without such a limit it stays where it was', async () => {
    await using group = await control.start({ memory: 100 * MB });
    const child = await startIn(group, BUSY);
    expect(folderOf(child.pid ?? 0, 'cpu')).toBe(folderOf('self', 'cpu'));
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
});

describe('a group', () => {
  test('without limits is none: nothing is made, and nothing need be admitted', async () => {
    await using group = await control.start({});
    expect(group.needsAdmission).toBe(false);
    await group.admit([process.pid]);
    expect(await group.breach()).toBeUndefined();
  });

  test.skipIf(!holds('processes'))(
    'can be entered by a program itself, which keeps its number, arguments and environment',
    async () => {
      await using group = await control.start({ processes: 32, memory: 100 * MB, cpus: 1 });
      const script = 'echo $$ "$0" "$1" "$WORD"; cat /proc/self/cgroup';
      const [file, ...args] = group.entering(['/bin/sh', '-c', script, 'a b', "it's"]) ?? [''];
      const child = spawn(file, args, {
        env: { PATH: '/usr/bin:/bin', WORD: 'kept' },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [first, ...groups] = (await text(child.stdout)).split('\n');
      expect(first).toBe(`${child.pid} a b it's kept`);
      const held = groups.filter((line) => line.includes(`/${homeFolderName(homeId)}/`)).join(' ');
      expect(held).toMatch(/pids|^0::/);
      const more = 'i=0; while [ $i -lt 50 ]; do sleep 60 & i=$((i + 1)); done';
      const [again, ...rest] = group.entering(['/bin/sh', '-c', more]) ?? [''];
      await exitOf(spawn(again, rest, { stdio: 'ignore' }));
      expect(await group.breach()).toMatchObject({ limit: 'processes' });
    },
  );

  test.skipIf(!holds('processes'))('that is gone lets nobody in, and the program does not run', async () => {
    const group = await control.start({ processes: 32 });
    const [file, ...args] = group.entering(['echo', 'ran']) ?? [''];
    await group[Symbol.asyncDispose]();
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    const exited = exitOf(child);
    expect([await text(child.stdout), await exited]).toEqual(['', expect.any(Number)]);
    expect(await exited).not.toBe(0);
  });

  test.skipIf(!holds('memory'))('passes over a process that has ended meanwhile', async () => {
    const child = spawn('true');
    await once(child, 'close');
    await using group = await control.start({ memory: 100 * MB });
    await group.admit([child.pid ?? 0]);
    expect(group.needsAdmission).toBe(true);
  });

  test.skipIf(!holds('memory'))('ends a program that has detached itself when it is disposed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'switchyard-detached-'));
    try {
      const group = await control.start({ memory: 100 * MB });
      await exitOf(await startIn(group, 'setsid sh -c \'echo $$ > "$0"; exec sleep 60\' "$1/pid" & exit 0', folder));
      const pid = await waitUntil(
        () => existsSync(join(folder, 'pid')) && Number(readFileSync(join(folder, 'pid'), 'utf8')),
        {
          timeoutMs: 10_000,
        },
      );
      await group[Symbol.asyncDispose]();
      expect(isAlive({ pid })).toBe(false);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test.skipIf(!holds('memory'))('that cannot be made is refused, and leaves nothing', async () => {
    await expect(control.start({ memory: 100 * MB, processes: -5 })).rejects.toMatchObject({
      code: 'resources/cannot-hold',
    });
  });
});

afterAll(() => {
  const { v1, v2 } = readHierarchies();
  const places = [...Object.values(v1), ...(v2 === undefined ? [] : [v2])].map(({ own }) =>
    join(own, homeFolderName(homeId)),
  );
  expect(places.filter((place) => existsSync(place))).toEqual([]);
});
