import { execFileSync } from 'node:child_process';
import { mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AgentTurn } from '../../../ports/agent.ts';
import { type TempFolder, tempFolder, writeProgram } from '../../../testing/temp-repository.ts';
import { turnIn } from '../../../testing/turn-in.ts';
import { piAgent } from './index.ts';

let temp: TempFolder;
let bin: string;
let sessions: string;
beforeEach(async () => {
  temp = await tempFolder();
  bin = join(temp.path, 'bin');
  sessions = join(temp.path, 'home', '.pi', 'agent', 'sessions');
  await writeProgram(join(bin, 'pi'));
});
afterEach(async () => temp[Symbol.asyncDispose]());

const ENDPOINT = { api: 'chat', baseUrl: 'http://127.0.0.1:1/v1', key: { env: 'MY_KEY' } };
const ENTRY = { endpoint: ENDPOINT, model: 'some/model' };

test('asks a new session, a resumed one and a fork by standard input; sessions are named by their files', async () => {
  const file = join(sessions, '2026-11-22T20-20-28-304Z_s1.jsonl');
  await mkdir(sessions, { recursive: true });
  await writeFile(file, `{"type":"session","cwd":"${temp.path}"}\n`);
  const argv = async (session: AgentTurn['session']) =>
    (await command({ ...ENTRY, args: ['--thinking', 'high'] }, { session })).argv;
  const start = [join(bin, 'pi'), '-p', '--mode', 'json', '--no-approve', '--session-dir', sessions];
  const model = ['--provider', 'switchyard', '--model', 'some/model'];
  expect(await argv({ kind: 'new' })).toEqual([...start, ...model, '--thinking', 'high']);
  expect(await argv({ kind: 'resume', id: 's1' })).toEqual([
    ...start,
    ...model,
    '--session',
    file,
    '--thinking',
    'high',
  ]);
  expect(await argv({ kind: 'fork', id: 's1' })).toEqual([...start, ...model, '--fork', file, '--thinking', 'high']);
  expect(await argv({ kind: 'resume', id: 'gone' })).toContain('gone');
  expect((await command(ENTRY, { prompt: '-do it' })).input).toBe('-do it');
});

test('lets the tools of a resumed session work in this workspace, and not in that where it was begun', async () => {
  const file = join(sessions, 'time_s1.jsonl');
  await mkdir(sessions, { recursive: true });
  await writeFile(file, '{"type":"session","id":"s1","cwd":"/elsewhere"}\n{"type":"message"}\n');
  await command(ENTRY, { session: { kind: 'resume', id: 's1' } });
  expect(await readFile(file, 'utf8')).toBe(`{"type":"session","id":"s1","cwd":"${temp.path}"}\n{"type":"message"}\n`);
});

test('does not wait for a session that is a pipe: it is unknown', async () => {
  await mkdir(sessions, { recursive: true });
  execFileSync('sh', ['-c', 'mkfifo "$0"', join(sessions, 'time_s1.jsonl')]);
  const { argv } = await command(ENTRY, { session: { kind: 'resume', id: 's1' } });
  expect(argv.slice(argv.indexOf('--session'))).toEqual(['--session', 's1']);
});

test('writes nothing through links that an agent has left in its HOME', async () => {
  const [outside, login, agent] = ['outside', 'auth.json', join('home', '.pi', 'agent')].map((name) =>
    join(temp.path, name),
  ) as [string, string, string];
  await writeFile(login, 'secret');
  await writeFile(outside, 'untouched');
  await mkdir(agent, { recursive: true });
  for (const name of ['auth.json', 'models.json', 'settings.json']) await symlink(outside, join(agent, name));
  await command({ login, model: 'anthropic/opus' });
  expect(await readFile(outside, 'utf8')).toBe('untouched');
  expect(await readFile(join(agent, 'auth.json'), 'utf8')).toBe('secret');
});

test('hands the one key on, and nothing else of the environment', async () => {
  const { env } = await command({ ...ENTRY, env: { EXTRA: '1' } });
  expect(env).toEqual({
    PATH: bin,
    HOME: join(temp.path, 'home'),
    LANG: 'C.UTF-8',
    TERM: 'dumb',
    SWITCHYARD_RUN: 'r',
    SWITCHYARD_NODE: 'n',
    SWITCHYARD_STEP: '1',
    PI_CODING_AGENT_DIR: join(temp.path, 'home', '.pi', 'agent'),
    PI_OFFLINE: '1',
    PI_TELEMETRY: '0',
    PI_SKIP_VERSION_CHECK: '1',
    MY_KEY: 'key',
    EXTRA: '1',
  });
});

test.each([
  ['chat', 'http://127.0.0.1:1/v1', 'openai-completions', 'http://127.0.0.1:1/v1'],
  ['responses', 'http://127.0.0.1:1/v1', 'openai-responses', 'http://127.0.0.1:1/v1'],
  ['anthropic', 'http://127.0.0.1:1/v1', 'anthropic-messages', 'http://127.0.0.1:1'],
])('configures an endpoint that speaks %s, without the key itself', async (api, baseUrl, name, address) => {
  await command({ ...ENTRY, endpoint: { ...ENDPOINT, api, baseUrl } });
  expect(await written('models.json')).toEqual({
    providers: { switchyard: { baseUrl: address, api: name, apiKey: '$MY_KEY', models: [{ id: 'some/model' }] } },
  });
  expect(await written('settings.json')).toMatchObject({ shellCommandPrefix: 'unset MY_KEY' });
});

test('copies a login for nobody else to read, and leaves provider and model to what the entry says', async () => {
  const login = join(temp.path, 'auth.json');
  await writeFile(login, 'secret');
  const { argv } = await command({ login, model: 'anthropic/opus' });
  const copy = join(temp.path, 'home', '.pi', 'agent', 'auth.json');
  expect(await readFile(copy, 'utf8')).toBe('secret');
  expect((await stat(copy)).mode & 0o777).toBe(0o600);
  expect(argv).not.toContain('--provider');
  expect(argv.slice(-2)).toEqual(['--model', 'anthropic/opus']);
});

test.each([
  ['nothing to sign in with', {}, 'agent/no-key'],
  ['a key that is not set', { ...ENTRY, endpoint: { ...ENDPOINT, key: { env: 'OTHER' } } }, 'agent/no-key'],
  ['a protocol that pi is not told', { ...ENTRY, endpoint: { ...ENDPOINT, api: 'gemini' } }, 'agent/wrong-endpoint'],
  ['an endpoint without a model', { endpoint: ENDPOINT }, 'agent/wrong-endpoint'],
  ['a program that is not there', { ...ENTRY, command: ['no-such-pi'] }, 'agent/not-found'],
])('refuses %s, and says what to configure', async (_what, entry, code) => {
  await expect(command(entry)).rejects.toMatchObject({ code, hint: expect.stringMatching(/\w/) });
});

test('runs the script from npm on the harness’s own Node', async () => {
  const script = join(temp.path, 'node_modules', 'pi', 'cli.js');
  await writeProgram(script);
  await symlink(script, join(bin, 'from-npm'));
  const { argv } = await command({ ...ENTRY, command: ['from-npm'] });
  expect(argv.slice(0, 3)).toEqual([process.execPath, script, '-p']);
});

test('gives a person the session in a terminal', async () => {
  const given = await piAgent.interactive?.(turn(ENTRY, {}));
  expect(given?.argv.slice(1)).toEqual([
    '--no-approve',
    '--session-dir',
    sessions,
    '--provider',
    'switchyard',
    '--model',
    'some/model',
  ]);
  expect(given?.env).toMatchObject({ MY_KEY: 'key', TERM: 'xterm-256color' });
  expect(given?.input).toBe(undefined);
});

async function written(name: string): Promise<unknown> {
  return JSON.parse(await readFile(join(sessions, '..', name), 'utf8'));
}

function command(entry: object, more: Partial<AgentTurn> = {}) {
  return piAgent.command(turn(entry, more));
}

function turn(entry: object, more: Partial<AgentTurn>): AgentTurn {
  const hostEnv = { PATH: bin, MY_KEY: 'key', SECRET: 'other' };
  return turnIn(temp.path, { kind: 'pi', ...entry }, { hostEnv, ...more });
}
