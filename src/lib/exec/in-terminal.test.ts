import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeScratchFolder } from '../scratch-folder.ts';
import { runInTerminal } from './in-terminal.ts';

const env = { PATH: process.env['PATH'] };
const shell = (script: string) => ['/bin/sh', '-c', script] as const;

test('the exit code is told, and 128 and the number for a program that a signal ended', async () => {
  expect(await runInTerminal({ argv: [...shell('exit 7')], cwd: '/', env })).toBe(7);
  expect(await runInTerminal({ argv: [...shell('kill -TERM $$')], cwd: '/', env })).toBe(143);
});

test('its report is handed on with its pid, and it goes on writing there without harm', async () => {
  const heard: unknown[] = [];
  const code = await runInTerminal({
    argv: [...shell('echo up $$ >&3; echo more >&3; exit 3')],
    cwd: '/',
    env,
    reports: true,
    onStarted: async (pid, report) => void heard.push(pid, report),
  });
  expect(code).toBe(3);
  expect(heard[1]).toBe(`up ${String(heard[0])}`);
});

test('a program whose beginning cannot be told of is killed', async () => {
  const started = runInTerminal({
    argv: [...shell('echo up >&3; exec sleep 600')],
    cwd: '/',
    env,
    reports: true,
    onStarted: () => Promise.reject(new Error('nobody is there')),
  });
  await expect(started).rejects.toThrow('nobody is there');
});

test('a program without a report begins only when its pid was taken note of, with the same pid and without the channel', async () => {
  await using folder = await makeScratchFolder(join(tmpdir(), 'in-terminal-'));
  const mark = join(folder.path, 'begun');
  let noted = 0;
  const onStarted = async (pid: number) => {
    await expect(readFile(mark, 'utf8')).rejects.toThrow('ENOENT');
    noted = pid;
  };
  const [file, ...args] = shell(`echo $$ > ${mark}; test ! -e /proc/$$/fd/3`);
  const program = { argv: [file, ...args] as [string, ...string[]], cwd: '/', env };
  expect(await runInTerminal({ ...program, onStarted })).toBe(0);
  expect(Number(await readFile(mark, 'utf8'))).toBe(noted);
  await rm(mark);
  const refused = runInTerminal({ ...program, onStarted: () => Promise.reject(new Error('no')) });
  await expect(refused).rejects.toThrow('no');
  await expect(readFile(mark, 'utf8')).rejects.toThrow('ENOENT');
});

test('one that dies without a report, or cannot be started, is told by its end', async () => {
  const never = () => Promise.reject(new Error('not to be called'));
  const argv = [...shell('exit 4')] as const;
  expect(await runInTerminal({ argv: [...argv], cwd: '/', env, reports: true, onStarted: never })).toBe(4);
  await expect(runInTerminal({ argv: ['/no/such/program'], cwd: '/', env })).rejects.toMatchObject({ code: 'ENOENT' });
});

test('signals are sent to it', async () => {
  let kill: (signal: NodeJS.Signals) => void = () => undefined;
  const ended = runInTerminal({
    argv: [...shell('trap "exit 9" TERM; echo up >&3; while :; do sleep 0.05; done')],
    cwd: '/',
    env,
    reports: true,
    onSpawned: (send) => {
      kill = send;
    },
    onStarted: async () => kill('SIGTERM'),
  });
  expect(await ended).toBe(9);
});
