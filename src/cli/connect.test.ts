import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SwitchyardError } from '../lib/error.ts';
import { connect } from './connect.ts';
import { testContext } from './fixture/context.ts';
import { FakeServer, someHealth } from './fixture/server.ts';
import { execute } from './main.ts';
import { version } from './program.ts';

/** A program that stands for `switchyard server run`: it takes a lock, then answers `health` on the socket until it is told to stop. */
const DAEMON = join(import.meta.dirname, 'fixture', 'daemon.ts');

test('a server that answers is used as it is', async () => {
  await using context = await testContext({ self: ['/does/not/exist'] });
  await using _ = await new FakeServer(context.socket).listen();
  const { client } = await connect(context, {});
  expect((await client.call('health', {})).pid).toBe(1);
});

test('the named server comes before SWITCHYARD_SERVER, and that before the own daemon', async () => {
  await using named = await testContext();
  await using context = await testContext({ env: { SWITCHYARD_SERVER: 'unix:/nowhere/else.sock' } });
  await using _ = await new FakeServer(named.socket, { health: () => someHealth({ pid: 7 }) }).listen();
  const { client } = await connect(context, { server: `unix:${named.socket}` });
  expect((await client.call('health', {})).pid).toBe(7);
  await expect(connect(context, {})).rejects.toMatchObject({
    code: 'daemon/unavailable',
    message: expect.stringContaining('/nowhere/else.sock'),
  });
});

test('a server elsewhere that does not answer is never started: exit code 69', async () => {
  await using context = await testContext({
    self: [process.execPath, '-e', 'require("fs").writeFileSync("started", "")'],
  });
  expect(await execute(context, ['ls', '--server', 'unix:/nowhere/daemon.sock'])).toBe(69);
  expect(context.err()).toContain('No Switchyard server answers at /nowhere/daemon.sock.');
});

test('the own daemon is started when it does not run, with its log in the home', async () => {
  await using context = await testContext({ self: [process.execPath, DAEMON] });
  const { client } = await connect(context, {});
  const { home } = await client.call('health', {});
  expect(home).toBe(context.home);
  expect(await readFile(join(context.home, 'daemon.log'), 'utf8')).toContain('server run --json');
  await client.call('stop', {});
});

test('many that start it at once all get the one that runs', async () => {
  await using context = await testContext({ self: [process.execPath, DAEMON], env: { FAKE_DELAY: '300' } });
  const connected = await Promise.all(Array.from({ length: 5 }, () => connect(context, {})));
  const pids = await Promise.all(connected.map(async ({ client }) => (await client.call('health', {})).pid));
  expect(new Set(pids).size).toBe(1);
  await connected[0]?.client.call('stop', {});
});

test('a daemon that is just stopping is waited for, then another one is started', async () => {
  await using context = await testContext({ self: [process.execPath, DAEMON], env: { FAKE_LINGER: '700' } });
  const first = await connect(context, {});
  const before = (await first.client.call('health', {})).pid;
  await first.client.call('stop', {});
  const second = await connect(context, {});
  expect((await second.client.call('health', {})).pid).not.toBe(before);
  await second.client.call('stop', {});
});

test('a daemon that cannot start says why in its own words', async () => {
  await using context = await testContext({
    self: [process.execPath, DAEMON],
    env: { FAKE_FAILURE: 'database/cannot-run-as-root' },
  });
  const error = await connect(context, {}).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(SwitchyardError);
  expect(error).toMatchObject({ code: 'database/cannot-run-as-root', hint: 'Set DATABASE_URL.' });
});

test('so does one that only logs the error that it died of', async () => {
  await using context = await testContext({
    self: [process.execPath, DAEMON],
    env: { FAKE_FAILURE: 'database/unavailable', FAKE_LOGS: '1' },
  });
  await expect(connect(context, {})).rejects.toMatchObject({ code: 'database/unavailable', hint: 'Set DATABASE_URL.' });
});

test('a daemon that dies without a word shows the end of its log: exit code 69', async () => {
  await using context = await testContext({
    self: [process.execPath, '-e', 'console.error("out of luck"); process.exit(9)', '--'],
  });
  expect(await execute(context, ['ls'])).toBe(69);
  expect(context.err()).toContain('The daemon did not start (exit code 9).\nout of luck');
  expect(context.err()).toContain(join(context.home, 'daemon.log'));
});

test('a program that is not there is an error, not a crash', async () => {
  await using context = await testContext({ self: ['/does/not/exist'] });
  expect(await execute(context, ['ls'])).toBe(69);
  expect(context.err()).toContain('ENOENT');
});

test('a daemon of another version is used, and a person at a terminal is told how to replace it', async () => {
  await using context = await testContext({ terminal: true });
  await using server = await new FakeServer(context.socket, {
    health: () => someHealth({ version: '0.0.9' }),
  }).listen();
  await connect(context, {});
  expect(context.err()).toMatch(/The daemon is of version 0\.0\.9, this command of \S+: `switchyard server restart`/);
  await server[Symbol.asyncDispose]();
  await using other = await testContext({ terminal: true });
  await using _ = await new FakeServer(other.socket, { health: () => someHealth({ version: version() }) }).listen();
  await connect(other, {});
  expect(other.err()).toBe('');
});

test('a restart ends the daemon that runs and starts another one, or starts one where none runs', async () => {
  await using context = await testContext({ self: [process.execPath, DAEMON] });
  expect(await execute(context, ['server', 'restart', '--json'])).toBe(0);
  const first = JSON.parse(context.out()) as { pid: number };
  expect(await execute(context, ['server', 'restart', '--json'])).toBe(0);
  const { client } = await connect(context, {});
  expect((await client.call('health', {})).pid).not.toBe(first.pid);
  await client.call('stop', {});
});

test('completion and status start nothing', async () => {
  await using context = await testContext({ self: [process.execPath, DAEMON] });
  expect(await execute(context, ['complete', '--', 'show', ''])).toBe(0);
  expect(context.out()).toBe('@last\n');
  await expect(readFile(join(context.home, 'daemon.log'))).rejects.toThrow('ENOENT');
});
