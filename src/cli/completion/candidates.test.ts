import { execFile } from 'node:child_process';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { packageFolder } from '../context.ts';
import { testContext } from '../fixture/context.ts';
import { FakeServer } from '../fixture/server.ts';
import { execute } from '../main.ts';
import { candidatesFor } from './candidates.ts';
import { completionScript } from './scripts.ts';

const LOOKUPS = {
  runs: () => Promise.resolve(['fix-it-k7mz', 'fix-that-a2bc', '$(reboot)']),
  blueprints: () => Promise.resolve(['minion', 'pr']),
};

const CASES: readonly [readonly string[], readonly string[]][] = [
  [['sh'], ['show']],
  [['serv'], ['server']],
  [
    ['server', ''],
    ['up', 'down', 'restart', 'status', 'backup', 'restore', 'prune'],
  ],
  [['server', 'd'], ['down']],
  [['show', 'fix-i'], ['fix-it-k7mz']],
  [['show', '@'], ['@last']],
  [['show', 'fix-it-k7mz', ''], []],
  [['run', 'a task', '--bl'], ['--blueprint']],
  [
    ['run', '--blueprint', ''],
    ['minion', 'pr'],
  ],
  [['run', '--sandbox', 'p'], ['pid']],
  [['run', '--file', ''], []],
  [['run', '--yes', '--ye'], []],
  [['run', '--limit', 'wall=1h', '--lim'], ['--limit']],
  [['approve', 'x', '--choice', 're'], ['retry']],
  [['approve', '--note', 'x', 'fix-t'], ['fix-that-a2bc']],
  [
    ['completion', ''],
    ['bash', 'zsh', 'fish'],
  ],
  [['nonsense', ''], []],
  [['comp'], ['completion']],
];

test.each(CASES)('after %j: %j', async (words, expected) => {
  expect(await candidatesFor(words, LOOKUPS)).toEqual(expected);
});

test('the first word may be any command, each once', async () => {
  const words = await candidatesFor([''], LOOKUPS);
  expect(words).toContain('run');
  expect(words.filter((word) => word === 'server')).toHaveLength(1);
});

test('names of runs come from a server that runs', async () => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket).listen();
  server.handlers.listRuns = () => [server.run];
  expect(await execute(context, ['complete', '--', 'show', 'round'])).toBe(0);
  expect(context.out()).toBe('round-the-totals-k7mz\n');
});

test('bash asks for whole words, although it cuts them at characters such as @', async () => {
  await using context = await testContext();
  await writeFile(
    join(context.home, 'switchyard'),
    `#!/bin/sh\nexec "${process.execPath}" "${join(packageFolder(), 'bin', 'switchyard.js')}" "$@"\n`,
  );
  await chmod(join(context.home, 'switchyard'), 0o755);
  const complete = (line: string, ...words: string[]) =>
    [
      `COMP_LINE='${line}'`,
      'COMP_POINT=${#COMP_LINE}',
      `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')})`,
      'COMP_CWORD=$((${#COMP_WORDS[@]}-1))',
      '_switchyard',
      'echo "${COMPREPLY[*]}"',
    ].join('\n');
  const script = [
    completionScript('bash'),
    complete('switchyard sh', 'switchyard', 'sh'),
    complete('switchyard show @l', 'switchyard', 'show', '@', 'l'),
    complete('switchyard server ', 'switchyard', 'server', ''),
  ].join('\n');
  const { stdout } = await promisify(execFile)('bash', ['--norc', '-c', script], {
    env: { ...context.env, PATH: `${context.home}:${process.env['PATH']}` },
  });
  expect(stdout.trimEnd().split('\n')).toEqual(['show', 'last', 'up down restart status backup restore prune']);
});

test('there are scripts for three shells and no other', () => {
  for (const shell of ['bash', 'zsh', 'fish']) expect(completionScript(shell)).toContain('switchyard complete --');
  expect(completionScript('toString')).toBeUndefined();
});
