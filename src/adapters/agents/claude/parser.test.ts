import { execFileSync } from 'node:child_process';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AgentTurn } from '../../../ports/agent.ts';
import { type TempFolder, tempFolder } from '../../../testing/temp-repository.ts';
import { turnIn } from '../../../testing/turn-in.ts';
import { claudeParser } from './parser.ts';

let temp: TempFolder;
beforeAll(async () => {
  temp = await tempFolder();
});
afterAll(async () => temp[Symbol.asyncDispose]());

const ENDED = { code: 1, signal: null, stderr: '' };
const SESSION = '6c4d788b-3fc5-44fb-88ee-c3531414fa7e';

test('reads a whole turn that claude has written', async () => {
  const events = await readRecorded('tools');
  expect(events.map(({ kind }) => kind)).toEqual([
    'session',
    'tool-started',
    'usage',
    'tool-ended',
    'tool-started',
    'usage',
    'tool-ended',
    'text',
    'usage',
    'usage',
    'end',
  ]);
  expect(events[1]).toMatchObject({ name: 'Write', input: '{"file_path":"hello.txt","content":"hello\\n"}' });
  expect(events[3]).toMatchObject({ name: 'Write', ok: true });
  expect(events[4]).toMatchObject({ name: 'Bash', input: 'cat hello.txt; exit 3' });
  expect(events[6]).toMatchObject({ name: 'Bash', output: 'Exit code 3\nhello', ok: false });
  expect(events[7]).toEqual({ kind: 'text', text: 'That is all.' });
  const told = { input: 100, output: 10, cached: 0, reasoning: 0, cost: null };
  expect([events[2], events[5], events[8]]).toEqual(Array.from({ length: 3 }, () => ({ kind: 'usage', usage: told })));
  expect(events[9]).toEqual({
    kind: 'usage',
    usage: { input: 0, output: 0, cached: 0, reasoning: 0, cost: expect.closeTo(0.0018) },
  });
  expect(events[10]).toEqual({ kind: 'end', result: { kind: 'done' } });
});

test.each([
  ['status-401', 1, 'auth', 'claude: Invalid API key'],
  ['status-529', 3, 'network', 'claude: API Error: 529 Overloaded'],
])('warns of each further try and sorts what claude has written at %s', async (name, tries, failureClass, message) => {
  const events = await readRecorded(name);
  const warnings = Array.from({ length: tries }, () => 'warning');
  expect(events.map(({ kind }) => kind)).toEqual(['session', ...warnings, 'end']);
  expect(events.at(-1)).toMatchObject({
    result: { kind: 'failed', failure: { class: failureClass, message: expect.stringContaining(message) } },
  });
});

test('knows a session that is gone', async () => {
  expect(await readRecorded('unknown-session')).toMatchObject([
    { kind: 'end', result: { kind: 'failed', failure: { class: 'unknown-session' } } },
  ]);
});

test.each([
  ['You’ve hit your session limit', { error: 'rate_limit' }, 429, 'quota'],
  ["You've hit your limit · resets 3pm", { error: 'rate_limit' }, 429, 'quota'],
  ['Request rejected (429)', { error: 'rate_limit' }, 429, 'rate-limit'],
  ['Your credit balance is too low', { error: 'billing_error' }, 400, 'quota'],
  ['Your account is on hold', { error: 'account_on_hold' }, 403, 'auth'],
  ['Claude is unable to respond to this request, which appears to violate our Usage Policy', {}, null, 'refused'],
  ['Connection refused', { error: 'server_error', api_error: 'connection_failed' }, null, 'network'],
  ['Something new', { error: 'unknown' }, 403, 'auth'],
  ['Something new', { error: 'unknown' }, null, 'unknown'],
])('sorts “%s” %j', (message, answer, status, expected) => {
  const apology = { type: 'assistant', message: { id: 'm', content: [text(message)] }, is_api_error_message: true };
  const [end] = read(
    JSON.stringify({ ...apology, ...answer }),
    result({ is_error: true, result: message, api_error_status: status }),
  );
  expect(end).toMatchObject({ kind: 'end', result: { failure: { class: expected } } });
});

test('says where to look when the model is not known', () => {
  const [end] = read(result({ is_error: true, result: 'no such model', api_error_status: 404 }));
  expect(end).toMatchObject({
    result: { failure: { hint: expect.stringContaining('the agent’s `model` in config.yaml') } },
  });
});

test('tells each answer’s usage once, though it comes with each of its blocks', () => {
  const answer = (block: object, output: number) =>
    JSON.stringify({
      type: 'assistant',
      message: {
        id: 'one',
        content: [block],
        usage: { input_tokens: 5, output_tokens: output, cache_read_input_tokens: 20, cache_creation_input_tokens: 3 },
      },
    });
  const usage = read(answer(text('a'), 1), answer(text('b'), 1), answer(text('c'), 4)).filter(
    ({ kind }) => kind === 'usage',
  );
  expect(usage).toEqual([
    { kind: 'usage', usage: { input: 28, output: 1, cached: 20, reasoning: 0, cost: null } },
    { kind: 'usage', usage: { input: 0, output: 3, cached: 0, reasoning: 0, cost: null } },
  ]);
});

test('takes what the session had used and cost before off its count', async () => {
  const home = await homeWith([costState(100, 10, 0.5), 'x'.repeat(100_000), costState(300, 30, 1.5), '{"half']);
  const models = { opus: { inputTokens: 350, outputTokens: 50 }, haiku: { inputTokens: 7, cacheReadInputTokens: 2 } };
  const parser = claudeParser(turn({ home, session: { kind: 'resume', id: SESSION } }));
  expect(parser.line(result({ modelUsage: models, total_cost_usd: 1.75 }))[0]).toEqual({
    kind: 'usage',
    usage: { input: 59, output: 20, cached: 2, reasoning: 0, cost: 0.25 },
  });
});

test('does not take work without a price for work that is free', () => {
  const [usage] = read(result({ usage: { input_tokens: 5, output_tokens: 1 }, total_cost_usd: 0 }));
  expect(usage).toMatchObject({ usage: { input: 5, cost: null } });
});

test('makes no event of what it does not know, of noise or of half a line', () => {
  const unknown = ['{"type":"system","subtype":"status"}', '{"type":"new.thing"}', 'plain', '', '{"type":"assi', '[]'];
  const thinking = { type: 'assistant', message: { id: 'm', content: [{ type: 'thinking', thinking: 'hm' }] } };
  const result = { type: 'user', message: { content: [{ type: 'tool_result', tool_use_id: 'never-started' }] } };
  expect(read(...unknown, JSON.stringify(thinking), JSON.stringify(result))).toEqual([]);
});

test('ends once, and by itself when claude has not', () => {
  const parser = claudeParser(turn());
  expect(parser.line(result({}))).toEqual([{ kind: 'end', result: { kind: 'done' } }]);
  expect(parser.line(result({}))).toEqual([]);
  expect(parser.end({ ...ENDED, code: 0 })).toEqual([]);
  expect(claudeParser(turn()).end({ ...ENDED, stderr: 'no room' })).toMatchObject([
    { result: { kind: 'failed', failure: { class: 'unknown', message: expect.stringContaining('no room') } } },
  ]);
});

test.each(['a pipe that nobody writes to', 'a link to a real one'])(
  'counts from nothing where the session file is %s',
  async (what) => {
    const real = join(await homeWith([costState(100, 10, 0.5)]), '.claude', 'projects', '-repo', `${SESSION}.jsonl`);
    const home = join(temp.path, what);
    const folder = join(home, '.claude', 'projects', '-repo');
    await mkdir(folder, { recursive: true });
    if (what.includes('link')) await symlink(real, join(folder, `${SESSION}.jsonl`));
    else execFileSync('sh', ['-c', 'mkfifo "$0"', join(folder, `${SESSION}.jsonl`)]);
    const parser = claudeParser(turn({ home, session: { kind: 'resume', id: SESSION } }));
    expect(parser.line(result({ modelUsage: { opus: { inputTokens: 350, outputTokens: 50 } } }))[0]).toMatchObject({
      kind: 'usage',
      usage: { input: 350, output: 50 },
    });
  },
);

async function readRecorded(name: string) {
  const lines = await readFile(new URL(`recorded/${name}.jsonl`, import.meta.url), 'utf8');
  return read(...lines.split('\n'));
}

function read(...lines: readonly string[]) {
  const parser = claudeParser(turn());
  return lines.flatMap((line) => parser.line(line));
}

function text(words: string): object {
  return { type: 'text', text: words };
}

function result(fields: object): string {
  return JSON.stringify({ type: 'result', subtype: 'success', is_error: false, ...fields });
}

function costState(inputTokens: number, outputTokens: number, totalCostUSD: number): string {
  return JSON.stringify({ type: 'cost-state', totalCostUSD, modelUsage: { opus: { inputTokens, outputTokens } } });
}

async function homeWith(lines: readonly string[]): Promise<string> {
  const home = join(temp.path, 'with-session');
  const folder = join(home, '.claude', 'projects', '-repo');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${SESSION}.jsonl`), lines.join('\n'));
  return home;
}

function turn(more: Partial<AgentTurn> = {}): AgentTurn {
  const folder = '/repo';
  const home = join(temp.path, 'empty');
  return turnIn(folder, { kind: 'claude' }, { home, inside: { folder, home }, ...more });
}
