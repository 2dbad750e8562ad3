import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import {
  argumentsOf,
  descendants,
  isAlive,
  killNamespace,
  pidNamespaceOf,
  processesInNamespace,
  processStart,
  sendSignal,
} from './processes.ts';
import { waitUntil } from './wait-until.ts';

const linux = process.platform === 'linux' ? test : test.skip;
const started: ChildProcess[] = [];

afterEach(async () => {
  for (const child of started.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  }
});

linux('a process is known by its number and its start, and is not alive after its end', async () => {
  const child = start('sleep', '60');
  const identity = { pid: child.pid!, start: processStart(child.pid!) };
  expect(identity.start).toMatch(/^[0-9a-f-]+:\d+$/);
  expect(isAlive(identity)).toBe(true);
  expect(isAlive({ pid: child.pid! })).toBe(true);
  expect(isAlive({ pid: child.pid!, start: 'another' })).toBe(false);
  expect(sendSignal(child.pid!, 'SIGKILL')).toBe(true);
  await once(child, 'exit');
  expect(isAlive(identity)).toBe(false);
  expect(processStart(child.pid!)).toBeUndefined();
  expect(sendSignal(child.pid!, 'SIGKILL')).toBe(false);
});

linux('a process that ended but was not collected by its parent is not alive', async () => {
  // The shell starts a child that ends, and then becomes a program that never waits for it.
  const parent = start('sh', '-c', 'true & exec sleep 60');
  const zombie = await waitUntil(() => descendants(parent.pid!).find((pid) => argumentsOf(pid) === undefined), {
    timeoutMs: 10_000,
    what: 'a zombie',
  });
  await waitUntil(() => !isAlive({ pid: zombie }), { timeoutMs: 10_000 });
  expect(processStart(zombie)).toBeDefined();
});

linux('the arguments of a process are read as they were given', async () => {
  const child = start('sh', '-c', 'sleep 60; :', 'a name) with (brackets', '');
  const wanted = ['sh', '-c', 'sleep 60; :', 'a name) with (brackets', ''];
  await waitUntil(() => argumentsOf(child.pid!)?.[0] === 'sh', { timeoutMs: 10_000 });
  expect(argumentsOf(child.pid!)).toEqual(wanted);
});

linux('descendants are found over several generations, and only those of the process asked for', async () => {
  const child = start('sh', '-c', 'sh -c "sleep 60 & sleep 60; :"; :');
  const other = start('sleep', '60');
  await waitUntil(() => descendants(child.pid!).length === 3, { timeoutMs: 10_000, what: 'three descendants' });
  expect(descendants(process.pid)).toEqual(expect.arrayContaining([child.pid, other.pid, ...descendants(child.pid!)]));
  expect(descendants(child.pid!)).not.toContain(other.pid);
  expect(descendants(other.pid!)).toEqual([]);
});

linux(
  'killing a pid namespace leaves nothing, not even a child that was orphaned in a session of its own',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'namespace-'));
    const heart = join(folder, 'beats');
    const orphan = `exec setsid env -i sh -c 'while :; do echo beat >> ${heart}; sleep 0.01; done'`;
    const walls = start(...IN_NAMESPACE, 'sh', '-c', `(sh -c "${orphan}" &) ; sleep 60; :`);
    await waitUntil(() => existsSync(heart), { timeoutMs: 10_000, what: 'a sign of life' });
    const init = await waitUntil(() => descendants(walls.pid!).find((pid) => namespaceOf(pid) !== own), {
      timeoutMs: 10_000,
    });
    const namespace = namespaceOf(init)!;
    expect(processesInNamespace(namespace)[0]).toBe(init);
    expect(processesInNamespace(namespace).length).toBeGreaterThanOrEqual(2);

    await killNamespace(namespace);

    expect(processesInNamespace(namespace)).toEqual([]);
    const beats = await readFile(heart, 'utf8');
    if (walls.exitCode === null && walls.signalCode === null) await once(walls, 'exit');
    expect(await readFile(heart, 'utf8')).toBe(beats);
    await rm(folder, { recursive: true });
  },
);

linux('killing an empty namespace is done at once, and our own is refused', async () => {
  await killNamespace('pid:[1]');
  await expect(killNamespace(own!)).rejects.toMatchObject({ code: 'namespace/own' });
});

test('nothing is claimed about processes that cannot be', () => {
  const none = 2 ** 31 - 1;
  expect(isAlive({ pid: none })).toBe(false);
  expect(processStart(none)).toBeUndefined();
  expect(argumentsOf(none)).toBeUndefined();
  expect(descendants(none)).toEqual([]);
  expect(pidNamespaceOf(none)).toBeUndefined();
});

const own = pidNamespaceOf('self');
const namespaceOf = (pid: number) => pidNamespaceOf(pid) ?? own;
const IN_NAMESPACE = ['unshare', '--user', '--map-root-user', '--pid', '--fork'] as const;

function start(...[command, ...args]: readonly [string, ...string[]]): ChildProcess {
  const child = spawn(command, args, { stdio: 'ignore' });
  started.push(child);
  return child;
}
