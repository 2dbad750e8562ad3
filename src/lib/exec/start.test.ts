import { open } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { sendSignal } from '../processes.ts';
import { firstLine } from './first-line.ts';
import { type ProgramToStart, startProcess } from './start.ts';

const node = (code: string): ProgramToStart => ({ file: process.execPath, args: ['-e', code], cwd: '/', env: {} });

test('keeps the output of a program that was over before anybody read it', async () => {
  const child = await startProcess({
    file: '/bin/sh',
    args: ['-c', 'echo out; echo err >&2; echo up >&3'],
    cwd: '/',
    env: {},
    statusPipe: true,
  });
  await child.ended;
  await new Promise((resolve) => setImmediate(resolve));
  expect(await Promise.all([child.stdout, child.stderr, child.status!].map((stream) => text(stream)))).toEqual([
    'out\n',
    'err\n',
    'up\n',
  ]);
  await child.closed;
});

test('does not open a status pipe unasked', async () => {
  const child = await startProcess({ file: '/bin/sh', args: ['-c', 'echo x >&3'], cwd: '/', env: {} });
  expect((await child.ended).code).not.toBe(0);
  expect(child.status).toBe(undefined);
});

test('hands open files on, and then a gate to wait at', async () => {
  await using file = await open('/proc/self/status', 'r');
  const child = await startProcess({
    file: '/bin/sh',
    args: [
      '-c',
      'echo up >&3; read -r answer <&5; echo "$answer"; head -c 5 <&4; (echo x >&6) 2>/dev/null || echo " no more"',
    ],
    cwd: '/',
    env: { PATH: '/usr/bin:/bin' },
    statusPipe: true,
    descriptors: [file.fd],
    gate: true,
  });
  expect(await firstLine(child.status!)).toBe('up');
  child.gate?.end('go on\n');
  expect(await text(child.stdout)).toBe('go on\nName: no more\n');
  child.stderr.resume();
  await child.closed;
});

test('tells code and signal', async () => {
  const failing = await startProcess(node('process.exit(7)'));
  expect(await failing.ended).toEqual({ code: 7, signal: null });
  const killed = await startProcess(node('setInterval(() => {}, 1000)'));
  sendSignal(killed.pid, 'SIGKILL');
  expect(await killed.ended).toEqual({ code: null, signal: 'SIGKILL' });
});

test('rejects with the system’s error when the program cannot be started', async () => {
  await expect(startProcess({ ...node(''), file: '/no/such' })).rejects.toMatchObject({ code: 'ENOENT' });
  await expect(startProcess({ ...node(''), cwd: '/no/such' })).rejects.toMatchObject({ code: 'ENOENT' });
  await expect(startProcess({ ...node(''), args: ['x'.repeat(3_000_000)] })).rejects.toMatchObject({ code: 'E2BIG' });
});

test('makes the program the leader of its own session', async () => {
  const child = await startProcess({
    file: '/bin/sh',
    args: ['-c', 'cut -d" " -f6 /proc/$$/stat'],
    cwd: '/',
    env: { PATH: '/usr/bin:/bin' },
  });
  expect(Number(await text(child.stdout))).toBe(child.pid);
});
