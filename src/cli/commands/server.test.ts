import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isAlive } from '../../lib/processes.ts';
import { testContext } from '../fixture/context.ts';
import { FakeServer, someHealth } from '../fixture/server.ts';
import { execute } from '../main.ts';

test('server status shows the daemon, or ends with 69 when none runs', async () => {
  await using context = await testContext();
  expect(await execute(context, ['server', 'status'])).toBe(69);
  await using _ = await new FakeServer(context.socket, {
    health: () => someHealth({ runs: { queued: 1, running: 2, parked: 3 } }),
  }).listen();
  expect(await execute(context, ['server', 'status'])).toBe(0);
  expect(context.out()).toContain('2 running, 1 queued, 3 waiting for a person');
});

test('server status tells runs that wait for a moment from those that wait for a person', async () => {
  await using context = await testContext();
  await using _ = await new FakeServer(context.socket, {
    health: () => someHealth({ runs: { queued: 0, running: 0, parked: 3, timed: 1 } }),
  }).listen();
  expect(await execute(context, ['server', 'status'])).toBe(0);
  expect(context.out()).toContain('2 waiting for a person, 1 waiting to go on by itself\n');
});

test('server up --test-mode refuses a daemon that runs without it', async () => {
  await using context = await testContext();
  await using _ = await new FakeServer(context.socket).listen();
  expect(await execute(context, ['server', 'up'])).toBe(0);
  expect(await execute(context, ['server', 'up', '--test-mode'])).toBe(1);
  expect(context.err()).toContain('without test mode');
});

test('server down waits until the daemon is gone, and is content when there is none', async () => {
  await using context = await testContext({
    self: [process.execPath, join(import.meta.dirname, '..', 'fixture', 'daemon.ts')],
  });
  expect(await execute(context, ['server', 'down'])).toBe(0);
  expect(await execute(context, ['server', 'up', '--json'])).toBe(0);
  const { pid } = JSON.parse(context.out().split('\n')[1] ?? '') as { pid: number };
  expect(await execute(context, ['server', 'down'])).toBe(0);
  expect(isAlive({ pid })).toBe(false);
});

test('server restart stops nothing while config.yaml is broken, and replaces the daemon once it is mended', async () => {
  await using context = await testContext({
    self: [process.execPath, join(import.meta.dirname, '..', 'fixture', 'daemon.ts')],
  });
  const restarted = async () => {
    expect(await execute(context, ['server', 'restart', '--json'])).toBe(0);
    return JSON.parse(context.out().trim().split('\n').at(-1) ?? '') as { pid: number };
  };
  const { pid } = await restarted();
  const config = join(context.home, 'config.yaml');
  await writeFile(config, 'agents:\n  x: { kind: nonsense }\n');
  expect(await execute(context, ['server', 'restart'])).toBe(2);
  expect(context.err()).toContain('config.yaml:2');
  expect(context.err()).toContain('Nothing was stopped.');
  expect(isAlive({ pid })).toBe(true);
  await writeFile(config, '');
  expect((await restarted()).pid).not.toBe(pid);
  expect(isAlive({ pid })).toBe(false);
  expect(await execute(context, ['server', 'down'])).toBe(0);
});
