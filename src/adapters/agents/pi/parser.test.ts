import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import type { AgentTurn } from '../../../ports/agent.ts';
import { turnIn } from '../../../testing/turn-in.ts';
import { piParser } from './parser.ts';

const ENDED = { code: 0, signal: null, stderr: '' };

test('reads a whole turn that pi has written', async () => {
  const events = await readRecorded('tools');
  expect(events.map(({ kind }) => kind)).toEqual([
    'session',
    'usage',
    'tool-started',
    'tool-ended',
    'usage',
    'tool-started',
    'tool-ended',
    'text',
    'usage',
    'end',
  ]);
  expect(events[2]).toMatchObject({ name: 'write', input: '{"path":"hello.txt","content":"hello\\n"}' });
  expect(events[3]).toMatchObject({ name: 'write', output: expect.stringContaining('hello.txt'), ok: true });
  expect(events[5]).toMatchObject({ name: 'bash', input: 'cat hello.txt; exit 3' });
  expect(events[6]).toMatchObject({ output: expect.stringContaining('hello'), ok: false });
  expect(events[7]).toEqual({ kind: 'text', text: 'That is all.' });
  expect(events[8]).toEqual({
    kind: 'usage',
    usage: { input: 100, output: 10, cached: 0, reasoning: 0, cost: null },
  });
  expect(events[9]).toEqual({ kind: 'end', result: { kind: 'done' } });
});

test.each([
  ['status-401', 'auth', 'pi: 401: invalid x-api-key'],
  ['status-529', 'network', 'pi: 529: Overloaded'],
])('sorts what pi has written at %s, though it ends well', async (name, failureClass, message) => {
  const events = await readRecorded(name);
  expect(events.at(-1)).toMatchObject({ kind: 'end', result: { failure: { class: failureClass, message } } });
});

test('warns before each further try', async () => {
  const warnings = (await readRecorded('status-529')).filter(({ kind }) => kind === 'warning');
  expect(warnings).toMatchObject([
    { text: expect.stringMatching(/^529: .*; pi tries again, 1 of 2$/) },
    { text: expect.stringMatching(/^529: .*; pi tries again, 2 of 2$/) },
  ]);
});

test.each([
  ['429: {"message":"You exceeded your current quota","code":"insufficient_quota"}', 'quota'],
  ['429 {"type":"error","error":{"type":"rate_limit_error","message":"slow down"}}', 'rate-limit'],
  ['switchyard API error (500): {"message":"oh"}', 'network'],
  ['402: {"message":"pay"}', 'quota'],
  ['403 {"message":"no"}', 'auth'],
  ['400 {"message":"bad"}', 'unknown'],
  ['Connection error.', 'network'],
  ['terminated', 'network'],
  ['No API key found for anthropic', 'auth'],
  ['The response was flagged by the content filter', 'refused'],
  ['Something new', 'unknown'],
])('sorts “%s” as %s', (errorMessage, expected) => {
  const [end] = read(answer({ stopReason: 'error', errorMessage }), SETTLED);
  expect(end).toMatchObject({ kind: 'end', result: { failure: { class: expected } } });
});

test('shows the server’s own words instead of its whole answer', () => {
  const [end] = read(
    answer({ stopReason: 'error', errorMessage: '404 {"error":{"message":"no such model"}}' }),
    SETTLED,
  );
  expect(end).toMatchObject({
    result: { failure: { message: 'pi: 404 no such model', hint: expect.stringContaining('config.yaml') } },
  });
});

test('is judged by its last answer: one that failed before a further try counts for nothing', () => {
  expect(
    read(
      answer({ stopReason: 'error', errorMessage: '500' }),
      answer({ stopReason: 'stop', content: [{ type: 'text', text: 'better' }] }),
      SETTLED,
    ),
  ).toEqual([
    { kind: 'text', text: 'better' },
    { kind: 'end', result: { kind: 'done' } },
  ]);
});

test('counts what came from a cache as input, and knows a price where there is one', () => {
  const usage = { input: 5, output: 7, cacheRead: 20, cacheWrite: 3, reasoning: 2, cost: { total: 0.25 } };
  expect(read(answer({ stopReason: 'stop', usage }))).toEqual([
    { kind: 'usage', usage: { input: 28, output: 7, cached: 20, reasoning: 2, cost: 0.25 } },
  ]);
});

test('makes no event of what it does not know, of noise or of half a line', () => {
  const user = JSON.stringify({
    type: 'message_end',
    message: { role: 'user', content: [{ type: 'text', text: 'x' }] },
  });
  expect(read(user, '{"type":"new_thing"}', '{"type":"agent_end"}', 'plain', '', '{"type":"mess', '[]')).toEqual([]);
});

test('knows a session that is gone, and a program that ended before its turn', () => {
  expect(piParser(turn()).end({ ...ENDED, code: 1, stderr: "No session found matching 'x'\n" })).toMatchObject([
    { result: { kind: 'failed', failure: { class: 'unknown-session' } } },
  ]);
  expect(piParser(turn()).end(ENDED)).toMatchObject([{ result: { kind: 'failed', failure: { class: 'unknown' } } }]);
});

test('ends once', () => {
  const parser = piParser(turn());
  parser.line(answer({ stopReason: 'stop' }));
  expect(parser.line(SETTLED)).toHaveLength(1);
  expect(parser.line(SETTLED)).toEqual([]);
  expect(parser.end(ENDED)).toEqual([]);
});

const SETTLED = '{"type":"agent_settled"}';

function answer(fields: object): string {
  return JSON.stringify({ type: 'message_end', message: { role: 'assistant', content: [], ...fields } });
}

async function readRecorded(name: string) {
  const lines = await readFile(new URL(`recorded/${name}.jsonl`, import.meta.url), 'utf8');
  return read(...lines.split('\n'));
}

function read(...lines: readonly string[]) {
  const parser = piParser(turn());
  return lines.flatMap((line) => parser.line(line));
}

function turn(): AgentTurn {
  return turnIn('/repo', { kind: 'pi' });
}
