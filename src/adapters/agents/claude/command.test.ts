import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AgentTurn } from '../../../ports/agent.ts';
import { type TempFolder, tempFolder, writeProgram } from '../../../testing/temp-repository.ts';
import { turnIn } from '../../../testing/turn-in.ts';
import { claudeAgent } from './index.ts';

let temp: TempFolder;
let bin: string;
beforeEach(async () => {
  temp = await tempFolder();
  bin = join(temp.path, 'bin');
  await writeProgram(join(bin, 'claude'));
});
afterEach(async () => temp[Symbol.asyncDispose]());

const ENDPOINT = { api: 'anthropic', baseUrl: 'http://127.0.0.1:1/v1', key: { env: 'MY_KEY' } };
const SETTINGS = ['--settings', '{"env":{},"skipDangerousModePermissionPrompt":true}'];
const FLAGS = ['-p', '--output-format', 'stream-json', '--verbose', '--dangerously-skip-permissions', ...SETTINGS];

test('asks a new session, a resumed one and a fork, always by standard input', async () => {
  const argv = async (session: AgentTurn['session']) =>
    (await command({ endpoint: ENDPOINT, model: 'opus', args: ['--x'] }, { session })).argv;
  const start = [join(bin, 'claude'), ...FLAGS, '--model', 'opus'];
  expect(await argv({ kind: 'new' })).toEqual([...start, '--x']);
  expect(await argv({ kind: 'resume', id: 's1' })).toEqual([...start, '--resume=s1', '--x']);
  expect(await argv({ kind: 'fork', id: 's1' })).toEqual([...start, '--resume=s1', '--fork-session', '--x']);
  expect((await command({ endpoint: ENDPOINT }, { prompt: 'do it' })).input).toBe('do it');
});

test('does not let a prompt be taken for a command of claude’s own', async () => {
  expect((await command({ endpoint: ENDPOINT }, { prompt: '/clear all' })).input).toBe(' /clear all');
});

test('hands the one key on under the name that claude knows, with the address, which no repository can change', async () => {
  const { env } = await command({ endpoint: ENDPOINT, env: { EXTRA: '1' } });
  expect(env).toEqual({
    PATH: bin,
    HOME: join(temp.path, 'home'),
    LANG: 'C.UTF-8',
    TERM: 'dumb',
    SWITCHYARD_RUN: 'r',
    SWITCHYARD_NODE: 'n',
    SWITCHYARD_STEP: '1',
    CLAUDE_CONFIG_DIR: join(temp.path, 'home', '.claude'),
    CLAUDE_CODE_TMPDIR: join(temp.path, 'home', 'tmp'),
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    CLAUDE_CODE_MAX_RETRIES: '3',
    DISABLE_AUTOUPDATER: '1',
    DISABLE_TELEMETRY: '1',
    DISABLE_ERROR_REPORTING: '1',
    IS_SANDBOX: '1',
    ANTHROPIC_BASE_URL: 'http://127.0.0.1:1',
    CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST: '1',
    ANTHROPIC_API_KEY: 'key',
    EXTRA: '1',
  });
});

test.each(['ANTHROPIC_AUTH_TOKEN', 'CLAUDE_CODE_OAUTH_TOKEN'])('takes a token in %s for what it is', async (name) => {
  const { env } = await command(
    { endpoint: { ...ENDPOINT, key: { env: name } } },
    { hostEnv: { PATH: bin, [name]: 't' } },
  );
  expect(env).toMatchObject({ [name]: 't' });
  expect(env['ANTHROPIC_API_KEY']).toBe(undefined);
});

test('starts without a key where an endpoint names none', async () => {
  const { env } = await command({ endpoint: { api: 'anthropic', baseUrl: 'http://127.0.0.1:1' } });
  expect(env).toMatchObject({ ANTHROPIC_AUTH_TOKEN: 'none' });
});

test('copies a login for nobody else to read, and fixes the address that it is sent to', async () => {
  const login = join(temp.path, 'credentials.json');
  await writeFile(login, 'secret');
  const { env, argv } = await command({ login });
  const copy = join(temp.path, 'home', '.claude', '.credentials.json');
  expect(await readFile(copy, 'utf8')).toBe('secret');
  expect((await stat(copy)).mode & 0o777).toBe(0o600);
  expect(env['CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST']).toBe(undefined);
  expect(JSON.parse(argv[argv.indexOf('--settings') + 1] ?? '')).toMatchObject({
    env: { ANTHROPIC_BASE_URL: 'https://api.anthropic.com' },
  });
});

test('refuses a HOME whose configuration is a link to somewhere else', async () => {
  const elsewhere = join(temp.path, 'elsewhere');
  const login = join(temp.path, 'credentials.json');
  await writeFile(login, 'secret');
  await mkdir(elsewhere);
  await mkdir(join(temp.path, 'home'), { recursive: true });
  await symlink(elsewhere, join(temp.path, 'home', '.claude'));
  await expect(command({ login })).rejects.toMatchObject({ code: 'agent/unsafe-home' });
  expect(await readdir(elsewhere)).toEqual([]);
});

test.each([
  ['nothing to sign in with', {}, 'agent/no-key'],
  ['a key that is not set', { endpoint: { ...ENDPOINT, key: { env: 'OTHER' } } }, 'agent/no-key'],
  ['a login that is not there', { login: '/no/such/credentials.json' }, 'agent/no-key'],
  ['a protocol that claude does not speak', { endpoint: { ...ENDPOINT, api: 'responses' } }, 'agent/wrong-endpoint'],
  ['a program that is not there', { endpoint: ENDPOINT, command: ['no-such-claude'] }, 'agent/not-found'],
])('refuses %s, and says what to configure', async (_what, entry, code) => {
  await expect(command(entry)).rejects.toMatchObject({ code, hint: expect.stringMatching(/\w/) });
});

test('starts the native program where the package’s own scripts were not run', async () => {
  const modules = join(temp.path, 'node_modules', '@anthropic-ai');
  const placeholder = join(modules, 'claude-code', 'bin', 'claude.exe');
  await writeProgram(placeholder);
  for (const name of ['', '-musl'].map((libc) => `claude-code-${process.platform}-${process.arch}${libc}`)) {
    await writeProgram(join(modules, name, 'claude'));
    await writeFile(join(modules, name, 'package.json'), '{}');
  }
  await symlink(placeholder, join(bin, 'from-npm'));
  const { argv } = await command({ endpoint: ENDPOINT, command: ['from-npm'] });
  expect(argv[0]).toMatch(new RegExp(`claude-code-${process.platform}-${process.arch}(-musl)?/claude$`));
});

test('gives a person the session in a terminal, and answers what claude would ask at first', async () => {
  const state = join(temp.path, 'home', '.claude', '.claude.json');
  await mkdir(dirname(state), { recursive: true });
  await writeFile(state, JSON.stringify({ userID: 'u', projects: { '/other': {}, [temp.path]: { kept: 1 } } }));
  const given = await claudeAgent.interactive?.(
    turn({ endpoint: ENDPOINT }, { session: { kind: 'resume', id: 's1' } }),
  );
  expect(given?.argv).toEqual([join(bin, 'claude'), '--dangerously-skip-permissions', ...SETTINGS, '--resume=s1']);
  expect(given?.env).toMatchObject({ ANTHROPIC_API_KEY: 'key', TERM: 'xterm-256color', HOME: join(temp.path, 'home') });
  expect(given?.input).toBe(undefined);
  expect(JSON.parse(await readFile(state, 'utf8'))).toMatchObject({
    userID: 'u',
    hasCompletedOnboarding: true,
    projects: { '/other': {}, [temp.path]: { kept: 1, hasTrustDialogAccepted: true } },
  });
});

function command(entry: object, more: Partial<AgentTurn> = {}) {
  return claudeAgent.command(turn(entry, more));
}

function turn(entry: object, more: Partial<AgentTurn>): AgentTurn {
  const hostEnv = { PATH: bin, MY_KEY: 'key', SECRET: 'other' };
  return turnIn(temp.path, { kind: 'claude', ...entry }, { hostEnv, ...more });
}
