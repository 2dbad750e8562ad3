import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { COMMANDS } from './commands.ts';
import { testContext } from './fixture/context.ts';
import { execute } from './main.ts';

test('plain help shows every command that is not for programs', async () => {
  await using context = await testContext();
  expect(await execute(context, [])).toBe(0);
  for (const spec of COMMANDS.filter(({ hidden }) => hidden !== true))
    expect(context.out()).toContain(spec.words.split(' ')[0]);
  expect(context.out()).not.toMatch(/^ {2}complete\b(?!ion)/m);
  expect(context.err()).toBe('');
});

test('the words of daily work come first in plain help', async () => {
  await using context = await testContext();
  await execute(context, ['--help']);
  const work = /Work:\n((?: {2}.*\n)+)/.exec(context.out())?.[1] ?? '';
  expect(Array.from(work.matchAll(/^ {2}(\w+)/gm), ([, word]) => word)).toEqual([
    'init',
    'run',
    'ls',
    'show',
    'send',
    'diff',
    'approve',
    'merge',
    'cancel',
    'open',
  ]);
});

test('every command can be loaded', async () => {
  const loaded = await Promise.all(COMMANDS.map(async ({ load }) => typeof (await load())));
  expect(new Set(loaded)).toEqual(new Set(['function']));
});

test('help for a command is on standard output and ends well', async () => {
  await using context = await testContext();
  expect(await execute(context, ['run', '--help'])).toBe(0);
  expect(context.out()).toContain('--include-dirty');
});

test.each([
  ['a terminal of zero columns', 0, 80],
  ['a wide terminal', 132, 132],
])('help is broken once, where %s ends', async (_, columns, width) => {
  await using context = await testContext({ terminal: true, columns });
  await execute(context, ['send', '--help']);
  const text = /\n\n(Say something[\s\S]*?)\n\n/.exec(context.out())?.[1]?.split('\n') ?? [];
  expect(Math.max(...text.map((line) => line.length))).toBeLessThanOrEqual(width);
  for (const [index, line] of text.slice(0, -1).entries())
    expect(line.length + 1 + (text[index + 1]?.split(' ')[0]?.length ?? 0)).toBeGreaterThan(width);
});

test('the version is the one of the package', async () => {
  await using context = await testContext();
  expect(await execute(context, ['--version'])).toBe(0);
  expect(context.out()).toMatch(/^\d+\.\d+\.\d+\n$/);
});

const SLIPS: readonly [readonly string[], string, string][] = [
  [['shw'], "Unknown command 'shw'.", 'Did you mean show?'],
  [['server', 'upp'], "Unknown command 'upp'.", 'Did you mean up?'],
  [['server'], '`switchyard server` needs one of: up, down, restart, status, backup, restore, prune.', '--help'],
  [['ls', '--jsn'], "Unknown option '--jsn'.", 'Did you mean --json?'],
  [['show'], "Missing required argument 'run'.", 'switchyard show --help'],
  [['run', 'fix', 'the', 'bug'], "Too many arguments for 'run'.", 'Put the task in quotes.'],
  [['run'], 'There is no task.', 'quotes'],
  [['run', 'x', '-q', '-v'], 'cannot be used with', 'switchyard run --help'],
  [['approve', 'x', '--choice', 'changes'], 'What should be different is not said.', '--note'],
  [['server', 'restore', 'nowhere.tar'], 'There is no file', 'server backup'],
  [['run', 'x', '--file', 'y'], 'The task is given twice', 'Leave one'],
  [['run', 'x', '--limit', 'speed=9'], 'unknown limit "speed"', 'wall=30m'],
  [['run', 'x', '--sandbox', 'paper'], 'There is no sandbox level "paper"', 'none, pid'],
  [['run', '--file', 'nowhere.md'], 'Cannot read the task from nowhere.md', 'text file'],
  [['ls', '--server', 'ftp://x'], '"ftp://x" is not the address of a server.', 'unix:/path'],
  [['completion', 'tcsh'], 'There is no completion for "tcsh".', 'bash, zsh or fish'],
  [['demo', '--recording', 'nowhere.yaml'], 'There is no recording', 'recording.yaml'],
];

test.each(SLIPS)('%j is refused with one line, a hint and exit code 2', async (argv, message, hint) => {
  await using context = await testContext();
  expect(await execute(context, argv)).toBe(2);
  expect(context.out()).toBe('');
  const [first, ...rest] = context.err().trimEnd().split('\n');
  expect(first).toContain(`error: `);
  expect(first).toContain(message);
  expect(rest.join('\n')).toContain(hint);
  expect(context.err()).not.toMatch(/\bat .*:\d+:\d+/);
});

test.each([
  [['secret', 'set', 'NPM_TOKEN', 'npm_0123456789']],
  [['secret', 'set', 'NPM_TOKEN', '--value=npm_0123456789']],
])('%j is refused without showing the value, with how to give one', async (argv) => {
  await using context = await testContext();
  expect(await execute(context, argv)).toBe(2);
  expect(context.err()).toContain('takes a name, and no value');
  expect(context.err()).toContain('`switchyard secret set NAME < file`');
  expect(context.err()).not.toContain('npm_0123456789');
});

test('with --json a refusal is one object on standard error, even when the options cannot be read', async () => {
  await using context = await testContext();
  expect(await execute(context, ['ls', '--json', '--nope'])).toBe(2);
  expect(JSON.parse(context.err())).toEqual({
    code: 'request/invalid',
    message: "Unknown option '--nope'.",
    hint: 'See `switchyard ls --help`.',
  });
  expect(context.out()).toBe('');
});

test('a --json after -- belongs to the task', async () => {
  await using context = await testContext();
  expect(await execute(context, ['shw', '--', '--json'])).toBe(2);
  expect(context.err()).toMatch(/^error: /);
});

test('a bug of ours writes a report without values of the command line, says where it is, and ends with 70', async () => {
  await using context = await testContext();
  const broken = {
    ...context,
    get cwd(): string {
      throw new TypeError('secret plans');
    },
  };
  expect(await execute(broken, ['demo', '--task', 'my private task', '--recording', 'x'])).toBe(70);
  const [name = ''] = await readdir(join(context.home, 'reports'));
  const path = join(context.home, 'reports', name);
  expect(context.err()).toContain(`A report is in ${path}`);
  expect(context.err()).not.toContain('program.test.ts');
  const report = await readFile(path, 'utf8');
  expect(report).toContain('TypeError: secret plans');
  expect(report).toContain('command: demo --task --recording');
  expect(report).not.toContain('private');
});
