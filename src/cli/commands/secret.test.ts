import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SwitchyardError } from '../../lib/error.ts';
import { type TestContext, testContext } from '../fixture/context.ts';
import { FakeServer } from '../fixture/server.ts';
import { execute } from '../main.ts';

let context: TestContext;
let server: FakeServer;

beforeEach(async () => {
  context = await testContext();
  server = await new FakeServer(context.socket).listen();
  server.handlers.setSecret = ({ name, repository }) => ({
    schema: 1,
    name,
    repository: repository === undefined ? null : { id: 'shop', path: repository },
    replaced: false,
    notes: [],
  });
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await context[Symbol.asyncDispose]();
});

/** The requests but for `health`. */
const asked = () => server.calls.map(({ request }) => request);

test('a value comes on standard input, without its last line’s end, and is shown nowhere', async () => {
  context.stdin.end('line one\nline two\n');
  expect(await execute(context, ['secret', 'set', 'NPM_TOKEN'])).toBe(0);
  expect(asked()).toEqual([{ name: 'NPM_TOKEN', value: 'line one\nline two', repository: context.cwd }]);
  expect(context.out()).toBe(`Stored: NPM_TOKEN, for ${context.cwd}.\n`);
});

test('with --everywhere it is for all repositories', async () => {
  context.stdin.end('value');
  expect(await execute(context, ['secret', 'set', 'NPM_TOKEN', '--everywhere'])).toBe(0);
  expect(asked()).toEqual([{ name: 'NPM_TOKEN', value: 'value' }]);
  expect(context.out()).toContain('for all repositories');
});

test('at a terminal it is asked for, and what is typed is not shown', async () => {
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  const typing = execute({ ...context, stdin }, ['secret', 'set', 'NPM_TOKEN']);
  stdin.write('typed-by-han\x7f\x7f\x7fhand\r');
  expect(await typing).toBe(0);
  expect(asked()).toEqual([expect.objectContaining({ value: 'typed-by-hand' })]);
  expect(context.err()).toContain('Value of NPM_TOKEN (it is not shown): ');
  expect(context.out() + context.err()).not.toContain('typed');
});

test.for([
  ['Ctrl-C', '\x03'],
  ['Ctrl-D', '\x04'],
])('%s at the question stores nothing', async ([, key]) => {
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  const typing = execute({ ...context, stdin }, ['secret', 'set', 'NPM_TOKEN']);
  stdin.write(key);
  expect(await typing).toBe(2);
  expect(asked()).toEqual([]);
});

test.for([
  ['nothing', ''],
  ['an empty line', '\n'],
  ['what no variable can hold', 'a\0b'],
  ['what is no text', Buffer.from([0xff, 0xfe, 0x41])],
])('%s is no value', async ([, input]) => {
  context.stdin.end(input);
  expect(await execute(context, ['secret', 'set', 'NPM_TOKEN'])).toBe(2);
  expect(asked()).toEqual([]);
});

test('a value as an argument is refused', async () => {
  expect(await execute(context, ['secret', 'set', 'NPM_TOKEN', 'npm_0123456789'])).toBe(2);
  expect(asked()).toEqual([]);
});

test.for<readonly [string, string]>([
  ['npm-token', 'cannot be the name of a secret'],
  ['sk-0123456789', 'cannot be the name of a secret'],
  ['PATH', 'No secret can be named PATH'],
  ['SWITCHYARD_RUN', 'No secret can be named SWITCHYARD_RUN'],
])('the name %s is refused before a value is asked for', async ([name, message]) => {
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  expect(await execute({ ...context, stdin }, ['secret', 'set', name])).toBe(2);
  expect(asked()).toEqual([]);
  expect(context.err()).toContain(message);
  expect(context.err()).toContain('for instance NPM_TOKEN');
  expect(context.err()).not.toContain('sk-0123');
  expect(context.err()).not.toContain('Value of');
});

test('what a person should know of a value is said', async () => {
  server.handlers.setSecret = ({ name }) => ({
    schema: 1,
    name,
    repository: null,
    replaced: true,
    notes: ['Too short.'],
  });
  context.stdin.end('abc');
  expect(await execute(context, ['secret', 'set', 'PIN', '--everywhere'])).toBe(0);
  expect(context.out()).toBe('Replaced: PIN, for all repositories.\nToo short.\n');
});

test('secrets are listed with what they are for and since when', async () => {
  server.handlers.listSecrets = () => [
    { name: 'NPM_TOKEN', repository: null, setAt: '2026-01-02T03:04:05.000Z' },
    { name: 'NPM_TOKEN', repository: { id: 'shop', path: '/home/ada/shop' }, setAt: '2026-01-02T03:04:05.000Z' },
    { name: 'OLD', repository: { id: 'gone', path: null }, setAt: '2026-01-02T03:04:05.000Z' },
  ];
  expect(await execute(context, ['secret', 'ls'])).toBe(0);
  expect(context.out().split('\n')).toEqual([
    'NPM_TOKEN  all repositories  set 2026-01-02 03:04 UTC',
    'NPM_TOKEN  /home/ada/shop  set 2026-01-02 03:04 UTC',
    'OLD  gone  set 2026-01-02 03:04 UTC',
    '',
  ]);
  server.handlers.listSecrets = () => [];
  expect(await execute(context, ['secret', 'ls'])).toBe(0);
  expect(context.out()).toContain('No secret is stored.');
});

test('one that is not there to be removed is not found', async () => {
  server.handlers.removeSecret = ({ name, repository }) => {
    if (repository === undefined) return { schema: 1, name, repository: null };
    throw new SwitchyardError({ code: 'secret/not-found', message: 'There is none.', hint: 'Look.' });
  };
  expect(await execute(context, ['secret', 'rm', 'NPM_TOKEN'])).toBe(5);
  expect(await execute(context, ['secret', 'rm', 'NPM_TOKEN', '--everywhere'])).toBe(0);
});
