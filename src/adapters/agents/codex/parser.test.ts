import { execFileSync } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AgentTurn } from '../../../ports/agent.ts';
import { type TempFolder, tempFolder } from '../../../testing/temp-repository.ts';
import { turnIn } from '../../../testing/turn-in.ts';
import { codexParser } from './parser.ts';

let temp: TempFolder;
beforeAll(async () => {
  temp = await tempFolder();
});
afterAll(async () => temp[Symbol.asyncDispose]());

const ENDED = { code: 1, signal: null, stderr: '' };
const THREAD = '01a20467-11a1-7932-84e4-88997af94996';

test('reads each kind of item', () => {
  expect(
    read(
      item('started', {
        type: 'command_execution',
        command: 'make',
        aggregated_output: '',
        exit_code: null,
        status: 'in_progress',
      }),
      item('completed', {
        type: 'command_execution',
        command: 'make',
        aggregated_output: 'made',
        exit_code: 2,
        status: 'failed',
      }),
    ),
  ).toEqual([
    { kind: 'tool-started', call: 'item_1', name: 'command', input: 'make' },
    { kind: 'tool-ended', call: 'item_1', name: 'command', output: 'made', ok: false },
  ]);
  const mcp = {
    type: 'mcp_tool_call',
    server: 'docs',
    tool: 'find',
    arguments: { q: 1 },
    result: { n: 2 },
    status: 'completed',
  };
  expect(read(item('started', mcp), item('completed', mcp))).toEqual([
    { kind: 'tool-started', call: 'item_1', name: 'docs.find', input: '{"q":1}' },
    { kind: 'tool-ended', call: 'item_1', name: 'docs.find', output: '{"n":2}', ok: true },
  ]);
  expect(read(item('completed', { type: 'agent_message', text: 'hello' }))).toEqual([{ kind: 'text', text: 'hello' }]);
});

test('gives a tool that is only told when it is done its start then', () => {
  const change = {
    type: 'file_change',
    changes: [{ path: 'a.ts', kind: 'update' }, { path: 'b.ts' }],
    status: 'completed',
  };
  expect(read(item('completed', change))).toEqual([
    { kind: 'tool-started', call: 'item_1', name: 'edit', input: 'a.ts\nb.ts' },
    { kind: 'tool-ended', call: 'item_1', name: 'edit', output: 'completed', ok: true },
  ]);
});

test('takes errors before the end for warnings', () => {
  const again = { type: 'error', message: 'Reconnecting... 1/5' };
  expect(read(JSON.stringify(again), item('completed', { type: 'error', message: 'unknown model' }))).toEqual([
    { kind: 'warning', text: 'Reconnecting... 1/5' },
    { kind: 'warning', text: 'unknown model' },
  ]);
});

test('makes no event of what it does not know, of noise or of half a line', () => {
  const todo = item('started', { type: 'todo_list', items: [] });
  const reasoning = item('completed', { type: 'reasoning', text: 'hm' });
  expect(
    read(
      todo,
      reasoning,
      '{"type":"turn.started"}',
      '{"type":"new.thing"}',
      'plain',
      '',
      '{"type":"item.comp',
      '[]',
      'null',
    ),
  ).toEqual([]);
});

test('does not stumble over missing fields', () => {
  expect(read(item('started', { type: 'command_execution' }), '{"type":"turn.completed","usage":{}}')).toEqual([
    { kind: 'tool-started', call: 'item_1', name: 'command', input: '' },
    { kind: 'usage', usage: { input: 0, output: 0, cached: 0, reasoning: 0, cost: null } },
    { kind: 'end', result: { kind: 'done' } },
  ]);
});

test('takes what the thread had used before off its count', async () => {
  const home = await homeWith('usage', [count(300, 30), 'x'.repeat(100_000), '{"half']);
  const parser = codexParser(turn({ home, session: { kind: 'resume', id: THREAD } }));
  const completed = {
    type: 'turn.completed',
    usage: { input_tokens: 500, cached_input_tokens: 50, output_tokens: 70, reasoning_output_tokens: 5 },
  };
  expect(parser.line(JSON.stringify(completed))[0]).toEqual({
    kind: 'usage',
    usage: { input: 200, output: 40, cached: 50, reasoning: 5, cost: null },
  });
});

test('reads from the thread’s file what a turn used that was cut short', async () => {
  const home = await homeWith('cut', []);
  const parser = codexParser(turn({ home }));
  parser.line(JSON.stringify({ type: 'thread.started', thread_id: THREAD }));
  await homeWith('cut', [count(100, 10), count(250, 20)]);
  expect(parser.end({ code: null, signal: 'SIGKILL', stderr: '' })).toEqual([
    { kind: 'usage', usage: expect.objectContaining({ input: 250, output: 20 }) },
    { kind: 'end', result: expect.objectContaining({ kind: 'failed' }) },
  ]);
});

test('counts from nothing where the thread’s file is a pipe that nobody writes to', async () => {
  const home = await homeWith('pipe', []);
  const file = join(home, '.codex', 'sessions', '2026', '11', '22', `rollout-2026-11-22T17-56-34-${THREAD}.jsonl`);
  await rm(file);
  execFileSync('sh', ['-c', 'mkfifo "$0"', file]);
  const parser = codexParser(turn({ home, session: { kind: 'resume', id: THREAD } }));
  const completed = { type: 'turn.completed', usage: { input_tokens: 500, output_tokens: 70 } };
  expect(parser.line(JSON.stringify(completed))[0]).toMatchObject({ kind: 'usage', usage: { input: 500, output: 70 } });
});

test('does not wait with codex for a network for ever', () => {
  const waiting = JSON.stringify({ type: 'error', message: 'Reconnecting... waiting for network (Connection failed)' });
  const lifted = item('completed', { type: 'agent_message', text: 'back' });
  expect(read(waiting, lifted, waiting).map(({ kind }) => kind)).toEqual(['warning', 'text', 'warning']);
  expect(read(waiting, waiting, waiting)).toMatchObject([
    { kind: 'warning' },
    { kind: 'warning' },
    { kind: 'end', result: { kind: 'failed', failure: { class: 'network' } } },
  ]);
});

test('says when codex began a new conversation instead of the one that was asked for', () => {
  const parser = codexParser(turn({ session: { kind: 'resume', id: 'gone' } }));
  expect(parser.line(JSON.stringify({ type: 'thread.started', thread_id: THREAD }))).toEqual([
    { kind: 'session', id: THREAD },
    { kind: 'warning', text: 'codex did not find session gone and began a new one' },
  ]);
});

test('knows a session that is gone from a codex that did not start', async () => {
  const unknown = codexParser(turn({ session: { kind: 'resume', id: THREAD } }));
  expect(unknown.end(ENDED)).toMatchObject([{ result: { kind: 'failed', failure: { class: 'unknown-session' } } }]);
  const home = await homeWith('known', [count(1, 1)]);
  const known = codexParser(turn({ home, session: { kind: 'resume', id: THREAD } }));
  expect(known.end({ ...ENDED, stderr: 'no room' })).toMatchObject([
    { result: { failure: { class: 'unknown', message: expect.stringContaining('no room') } } },
  ]);
});

test.each([
  ['unexpected status 401 Unauthorized: no, url: http://x', 'auth'],
  ['unexpected status 403 Forbidden', 'auth'],
  ['Quota exceeded. Check your plan and billing details.', 'quota'],
  ['You’ve hit your usage limit. Try again later.', 'quota'],
  ['exceeded retry limit, last status: 429 Too Many Requests', 'rate-limit'],
  ['unexpected status 502 Bad Gateway', 'network'],
  ['We’re currently experiencing high demand, which may cause temporary errors.', 'network'],
  ["Codex ran out of room in the model's context window.", 'unknown'],
])('sorts “%s” as %s', (message, expected) => {
  const [end] = read(JSON.stringify({ type: 'turn.failed', error: { message } }));
  expect(end).toMatchObject({ kind: 'end', result: { kind: 'failed', failure: { class: expected } } });
});

test('shows the server’s own words instead of its whole answer', () => {
  const message = JSON.stringify({ error: { message: 'the model does not exist', type: 'x' } });
  const [end] = read(JSON.stringify({ type: 'turn.failed', error: { message } }));
  expect(end).toMatchObject({ result: { failure: { message: 'codex: the model does not exist' } } });
});

test('ends once', () => {
  const parser = codexParser(turn());
  parser.line('{"type":"turn.completed","usage":{}}');
  expect(parser.end({ ...ENDED, code: 0 })).toEqual([]);
});

function item(phase: 'started' | 'completed', fields: object): string {
  return JSON.stringify({ type: `item.${phase}`, item: { id: 'item_1', ...fields } });
}

function read(...lines: readonly string[]) {
  const parser = codexParser(turn());
  return lines.flatMap((line) => parser.line(line));
}

function turn(more: Partial<AgentTurn> = {}): AgentTurn {
  const folder = '/workspace';
  const home = join(temp.path, 'empty');
  return turnIn(folder, { kind: 'codex' }, { home, inside: { folder, home }, ...more });
}

/** A line of a thread's file that tells its tokens. */
function count(input: number, output: number): string {
  const total = { input_tokens: input, cached_input_tokens: 0, output_tokens: output, reasoning_output_tokens: 0 };
  return JSON.stringify({ type: 'event_msg', payload: { type: 'token_count', info: { total_token_usage: total } } });
}

async function homeWith(name: string, lines: readonly string[]): Promise<string> {
  const home = join(temp.path, name);
  const day = join(home, '.codex', 'sessions', '2026', '11', '22');
  await mkdir(day, { recursive: true });
  await writeFile(join(day, `rollout-2026-11-22T17-56-34-${THREAD}.jsonl`), lines.join('\n'));
  return home;
}
