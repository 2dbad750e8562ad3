import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { heldToOpenFiles, MOST_OPEN_FILES, openFilesFor } from './open-files.ts';

const LARGE = { own: 1_048_576, files: 2 ** 60 };

test('a program begins with what most systems give, and may raise it to what is asked for', () => {
  expect(openFilesFor({ openFiles: 5000 }, LARGE)).toEqual({ soft: 1024, hard: 5000 });
  expect(openFilesFor({ openFiles: 100 }, LARGE)).toEqual({ soft: 100, hard: 100 });
  expect(openFilesFor({}, LARGE)).toEqual({ soft: 1024, hard: MOST_OPEN_FILES });
});

test('nothing gets more than this process may have itself', () => {
  const small = { ...LARGE, own: 512 };
  expect(openFilesFor({}, small)).toEqual({ soft: 512, hard: 512 });
  expect(openFilesFor({ openFiles: 5000 }, small)).toEqual({ soft: 512, hard: 512 });
});

test('where processes are bounded, all of them together leave the machine a half, and keep enough to work with', () => {
  const machine = { ...LARGE, files: 2_000_000 };
  expect(openFilesFor({ processes: 100 }, machine).hard).toBe(10_000);
  expect(openFilesFor({ processes: 4000 }, machine).hard).toBe(4096);
  expect(openFilesFor({ processes: 100 }, LARGE).hard).toBe(MOST_OPEN_FILES);
  expect(openFilesFor({ processes: 100, openFiles: 20_000 }, machine).hard).toBe(20_000);
});

test('the program is held to it, and gets no variable from whoever holds it', () => {
  const run = (...script: readonly [string, ...string[]]) => {
    const [file, ...args] = heldToOpenFiles('/bin/sh', { soft: 200, hard: 300 }, script);
    return execFileSync(file, args, { env: {}, encoding: 'utf8' });
  };
  expect(run('/bin/sh', '-c', 'ulimit -Sn; ulimit -Hn')).toBe('200\n300\n');
  expect(run('/usr/bin/env').replace(/^_=.*\n/m, '')).toBe('');
});
