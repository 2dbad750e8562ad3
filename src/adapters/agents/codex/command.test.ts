import { readFile, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AgentEntry } from '../../../domain/agent-entry.ts';
import type { AgentCommand, AgentTurn } from '../../../ports/agent.ts';
import { type TempFolder, tempFolder, writeProgram } from '../../../testing/temp-repository.ts';
import { turnIn } from '../../../testing/turn-in.ts';
import { codexAgent } from './index.ts';

let temp: TempFolder;
let bin: string;
beforeEach(async () => {
  temp = await tempFolder();
  bin = join(temp.path, 'bin');
  await writeProgram(join(bin, 'codex'));
});
afterEach(async () => temp[Symbol.asyncDispose]());

const ENDPOINT = { api: 'responses', baseUrl: 'http://127.0.0.1:1/v1', key: { env: 'MY_KEY' } };

test('asks a new session, a resumed one and a fork, always by standard input', async () => {
  const argv = async (session: AgentTurn['session']) =>
    (await command({ endpoint: ENDPOINT, args: ['-c', 'x=1'] }, { session })).argv;
  const flags = ['--json', '--dangerously-bypass-approvals-and-sandbox', '--skip-git-repo-check', '-c', 'x=1', '--'];
  expect(await argv({ kind: 'new' })).toEqual([join(bin, 'codex'), 'exec', ...flags, '-']);
  expect(await argv({ kind: 'resume', id: 's1' })).toEqual([join(bin, 'codex'), 'exec', 'resume', ...flags, 's1', '-']);
  expect(await argv({ kind: 'fork', id: 's1' })).toEqual([join(bin, 'codex'), 'exec', 'fork', ...flags, 's1', '-']);
});

test('gives a person the session in a terminal, with the same home and sign-in', async () => {
  const { argv, env, input } = await interactive(
    { endpoint: ENDPOINT, args: ['-c', 'x=1'] },
    { kind: 'resume', id: 's1' },
  );
  const flags = [
    '--dangerously-bypass-approvals-and-sandbox',
    '-c',
    `projects={"${temp.path}"={trust_level="trusted"}}`,
  ];
  expect(argv).toEqual([join(bin, 'codex'), 'resume', ...flags, '-c', 'x=1', '--', 's1']);
  expect(env).toMatchObject({ HOME: join(temp.path, 'home'), MY_KEY: 'key', TERM: 'xterm-256color' });
  expect(env['SECRET']).toBe(undefined);
  expect(input).toBe(undefined);
  expect((await interactive({ endpoint: ENDPOINT }, { kind: 'new' })).argv).toEqual([join(bin, 'codex'), ...flags]);
});

test('hands the one key on, and nothing else of the environment', async () => {
  const { env, input } = await command({ endpoint: ENDPOINT, env: { EXTRA: '1' } }, { prompt: 'do it' });
  expect(env).toEqual({
    PATH: bin,
    HOME: join(temp.path, 'home'),
    CODEX_HOME: join(temp.path, 'home', '.codex'),
    LANG: 'C.UTF-8',
    TERM: 'dumb',
    SWITCHYARD_RUN: 'r',
    SWITCHYARD_NODE: 'n',
    SWITCHYARD_STEP: '1',
    MY_KEY: 'key',
    EXTRA: '1',
  });
  expect(input).toBe('do it');
});

test('writes the whole configuration anew each turn', async () => {
  await command({ endpoint: ENDPOINT, model: 'old' });
  await command({ endpoint: ENDPOINT, model: 'a "quoted"\\model\n\u007f' });
  const config = await readFile(join(temp.path, 'home', '.codex', 'config.toml'), 'utf8');
  expect(config).not.toContain('old');
  expect(config).toContain('model = "a \\"quoted\\"\\\\model\\n\\u007f"');
  expect(config).toContain('base_url = "http://127.0.0.1:1/v1"');
  expect(config).toContain('env_key = "MY_KEY"');
  expect(config).toContain('exclude = ["MY_KEY"]');
});

test('leaves the model to codex when none is configured', async () => {
  await command({ endpoint: ENDPOINT });
  expect(await readFile(join(temp.path, 'home', '.codex', 'config.toml'), 'utf8')).not.toMatch(/^model =/m);
});

test.each([
  ['nothing to sign in with', {}, 'agent/no-key'],
  ['a key that is not set', { endpoint: { ...ENDPOINT, key: { env: 'OTHER' } } }, 'agent/no-key'],
  ['a login that is not there', { login: '/no/such/auth.json' }, 'agent/no-key'],
  ['a protocol that codex does not speak', { endpoint: { ...ENDPOINT, api: 'chat' } }, 'agent/wrong-endpoint'],
  ['a program that is not there', { endpoint: ENDPOINT, command: ['no-such-codex'] }, 'agent/not-found'],
])('refuses %s, and says what to configure', async (_what, entry, code) => {
  await expect(command(entry)).rejects.toMatchObject({ code, hint: expect.stringMatching(/\w/) });
});

test('needs no key for an endpoint that names none', async () => {
  const { env } = await command({ endpoint: { api: 'responses', baseUrl: 'http://127.0.0.1:1/v1' } });
  expect(env['MY_KEY']).toBe(undefined);
});

test('copies a login for nobody else to read, and keeps the copy that codex has renewed', async () => {
  const login = join(temp.path, 'auth.json');
  const copy = join(temp.path, 'home', '.codex', 'auth.json');
  await writeFile(login, 'first');
  await command({ login });
  expect((await stat(copy)).mode & 0o777).toBe(0o600);
  await writeFile(copy, 'renewed');
  await command({ login });
  expect(await readFile(copy, 'utf8')).toBe('renewed');
  await writeFile(login, 'signed in again');
  await utimes(login, new Date(), new Date(Date.now() + 60_000));
  await command({ login });
  expect(await readFile(copy, 'utf8')).toBe('signed in again');
});

test('starts the native program behind the wrapper from npm', async () => {
  const modules = join(temp.path, 'node_modules', '@openai');
  const native = join(modules, `codex-${process.platform}-${process.arch}`, 'vendor', 'some-target', 'bin', 'codex');
  await writeProgram(join(modules, 'codex', 'bin', 'codex.js'));
  await writeProgram(native);
  await writeFile(join(modules, `codex-${process.platform}-${process.arch}`, 'package.json'), '{}');
  await symlink(join(modules, 'codex', 'bin', 'codex.js'), join(bin, 'from-npm'));
  expect((await command({ endpoint: ENDPOINT, command: ['from-npm'] })).argv[0]).toBe(native);
});

test('starts a wrapper behind which nothing is found', async () => {
  await writeProgram(join(temp.path, 'odd', 'codex.js'));
  await symlink(join(temp.path, 'odd', 'codex.js'), join(bin, 'odd'));
  expect((await command({ endpoint: ENDPOINT, command: ['odd', 'first'] })).argv.slice(0, 3)).toEqual([
    join(bin, 'odd'),
    'first',
    'exec',
  ]);
});

test('says how it is signed in, without the secret', () => {
  const said = (entry: object) => codexAgent.describe(AgentEntry.parse({ kind: 'codex', ...entry }));
  expect(said({ endpoint: ENDPOINT })).toBe(
    'the key in MY_KEY, for http://127.0.0.1:1/v1; the gateway adds it outside of the sandbox',
  );
  expect(said({ login: '/home/a/.codex/auth.json' })).toContain('exposed to the sandbox');
  expect(said({})).toBe('neither a key nor a login is configured');
});

function command(entry: object, more: Partial<AgentTurn> = {}) {
  return codexAgent.command(turn(entry, more));
}

async function interactive(entry: object, session: AgentTurn['session']): Promise<AgentCommand> {
  const command = await codexAgent.interactive?.(turn(entry, { session }));
  return command ?? expect.fail('codex has a program for a terminal');
}

function turn(entry: object, more: Partial<AgentTurn>): AgentTurn {
  const hostEnv = { PATH: bin, MY_KEY: 'key', SECRET: 'other' };
  return turnIn(temp.path, { kind: 'codex', ...entry }, { hostEnv, ...more });
}
