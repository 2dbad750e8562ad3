import { expect, test } from 'vitest';
import { AgentEntry } from '../../../domain/agent-entry.ts';
import type { AgentTurn } from '../../../ports/agent.ts';
import { customAgent } from './index.ts';

test('starts the configured program with its arguments, and hands it the prompt and the session', async () => {
  const entry = { command: ['sh', '-c'], args: ['cat'], env: { EXTRA: '1' } };
  const command = await customAgent.command(turn(entry, { kind: 'resume', id: 's1' }));
  expect(command.argv).toEqual([expect.stringMatching(/^\/.*\/sh$/), '-c', 'cat']);
  expect(command.input).toBe('do it');
  expect(command.env).toMatchObject({
    SWITCHYARD_RUN: 'r',
    SWITCHYARD_NODE: 'n',
    SWITCHYARD_STEP: '2',
    SWITCHYARD_SESSION: 's1',
    EXTRA: '1',
  });
});

test('names no session to a new conversation', async () => {
  const { env } = await customAgent.command(turn({ command: ['sh'] }));
  expect(env['SWITCHYARD_SESSION']).toBe('');
});

test.each([
  ['responses', 'OPENAI_BASE_URL', 'OPENAI_API_KEY'],
  ['chat', 'OPENAI_BASE_URL', 'OPENAI_API_KEY'],
  ['anthropic', 'ANTHROPIC_BASE_URL', 'ANTHROPIC_API_KEY'],
  ['gemini', 'GOOGLE_GEMINI_BASE_URL', 'GEMINI_API_KEY'],
])('says where its model is that speaks %s, and not where it has none', async (api, base, key) => {
  const endpoint = { api, baseUrl: 'http://127.0.0.1:4180/v1', key: { env: 'OURS' } } as const;
  const { env } = await customAgent.command({
    ...turn({ command: ['sh'], model: 'm', endpoint: AgentEntry.shape.endpoint.parse(endpoint) }),
    hostEnv: { PATH: process.env['PATH'], OURS: 'the-token' },
  });
  expect(env).toMatchObject({ [base]: endpoint.baseUrl, [key]: 'the-token', SWITCHYARD_MODEL: 'm' });
  const { env: plain } = await customAgent.command(turn({ command: ['sh'] }));
  expect(Object.keys(plain)).not.toContain(base);
  expect(Object.keys(plain)).not.toContain(key);
});

test.each([[{}], [{ command: ['no-such-agent'] }]])('says what to configure for %j', async (entry) => {
  await expect(customAgent.command(turn(entry))).rejects.toMatchObject({ code: 'agent/not-found' });
});

test('says of a file that may not be run, and of arguments in the name, how to mend it', async () => {
  const file = import.meta.filename;
  await expect(customAgent.command(turn({ command: [file] }))).rejects.toMatchObject({
    message: expect.stringContaining('not executable'),
    hint: expect.stringContaining(`chmod +x ${file}`),
  });
  await expect(customAgent.command(turn({ command: ['sh -c'] }))).rejects.toMatchObject({
    hint: expect.stringContaining('["sh", "-c"]'),
  });
});

test('plain text is what it says, line by line, and done when the program ends well', () => {
  const parser = customAgent.parser(turn({ command: ['sh'] }));
  expect(parser.line('{"kind":"end"}')).toEqual([{ kind: 'text', text: '{"kind":"end"}' }]);
  expect(parser.end({ code: 0, signal: null, stderr: '' })).toEqual([{ kind: 'end', result: { kind: 'done' } }]);
  expect(parser.end({ code: 1, signal: null, stderr: 'no' })).toMatchObject([{ result: { kind: 'failed' } }]);
});

test('lines of JSON are done by their own word only', () => {
  const parser = customAgent.parser(turn({ command: ['sh'], format: 'jsonl' }));
  expect(parser.line('plain')).toEqual([]);
  expect(parser.end({ code: 0, signal: null, stderr: '' })).toMatchObject([{ result: { kind: 'failed' } }]);
});

function turn(entry: object, session: AgentTurn['session'] = { kind: 'new' }): AgentTurn {
  const where = {
    folder: '/',
    home: '/',
    inside: { folder: '/', home: '/' },
    run: 'r',
    node: 'n',
    step: 2,
    hostEnv: { PATH: '/usr/bin:/bin' },
  };
  return { entry: AgentEntry.parse({ kind: 'custom', ...entry }), prompt: 'do it', session, ...where };
}
