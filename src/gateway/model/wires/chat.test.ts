import { expect, test } from 'vitest';
import { ARGUMENTS, CHAT, CHAT_USAGE, json, PRODUCED, SAID, SEEN, seenIn, stream, THOUGHT } from './fixture/answers.ts';

const piece = (delta: object, rest: object = {}) => ({ model: 'gpt-x-2026', choices: [{ index: 0, delta }], ...rest });
const used = (usage: object) => seenIn('chat', stream({ choices: [], usage })).tokens;

test('an answer that is no stream says all at once', () => {
  const call = { id: 'call_1', type: 'function', function: { name: 'write', arguments: ARGUMENTS } };
  const message = { role: 'assistant', content: SAID, reasoning: THOUGHT, tool_calls: [call] };
  const body = {
    model: 'gpt-x-2026',
    choices: [{ index: 0, message, finish_reason: 'tool_calls' }],
    usage: CHAT_USAGE,
  };
  expect(seenIn('chat', json(body))).toEqual(SEEN.chat);
});

test('a stream without its last line is whole once it has said why it ended and what it used', () => {
  expect(seenIn('chat', stream(...CHAT.slice(0, -1)))).toEqual(SEEN.chat);
  expect(seenIn('chat', stream(...CHAT.slice(0, -2)))).toMatchObject({ isWhole: false, tokens: undefined });
});

test('a stream that never says what it used is whole at its end, and what it produced is known', () => {
  const events = CHAT.filter((event) => typeof event === 'string' || !('usage' in event && event.usage !== null));
  expect(seenIn('chat', stream(...events))).toMatchObject({ isWhole: true, tokens: undefined, produced: PRODUCED });
});

test('what was used may be said in every piece, or beside a choice', () => {
  const soFar = (completion_tokens: number) => ({ prompt_tokens: 9, completion_tokens });
  const seen = seenIn(
    'chat',
    stream(piece({ content: 'a' }, { usage: soFar(1) }), piece({ content: 'b' }, { usage: soFar(2) })),
  );
  expect(seen).toMatchObject({ isWhole: false, produced: 2, tokens: { input: 9, output: 2 } });
  const beside = { choices: [{ index: 0, delta: {}, finish_reason: 'stop', usage: soFar(3) }] };
  expect(seenIn('chat', stream(beside))).toMatchObject({ isWhole: true, tokens: { input: 9, output: 3 } });
});

test('what was cached is found where others say it', () => {
  expect(used({ prompt_tokens: 9, completion_tokens: 1, prompt_cache_hit_tokens: 4 })).toMatchObject({
    input: 9,
    cached: 4,
  });
  expect(used({ prompt_tokens: 9, completion_tokens: 1, cached_tokens: 5 })).toMatchObject({ input: 9, cached: 5 });
});

test('reasoning that is in the sum alone is a part of the output', () => {
  const details = { completion_tokens_details: { reasoning_tokens: 30 } };
  expect(used({ prompt_tokens: 9, completion_tokens: 1, total_tokens: 40, ...details })).toMatchObject({
    output: 31,
    reasoning: 30,
  });
  expect(used({ prompt_tokens: 9, completion_tokens: 31, total_tokens: 40, ...details })).toMatchObject({
    output: 31,
    reasoning: 30,
  });
  expect(used({ prompt_tokens: 9, completion_tokens: 31, total_tokens: 0 })).toMatchObject({ output: 31 });
});

test('content in parts, refusals and older calls are counted', () => {
  expect(seenIn('chat', stream(piece({ content: [{ type: 'text', text: 'abc' }, { type: 'image' }] }))).produced).toBe(
    3,
  );
  expect(seenIn('chat', stream(piece({ refusal: 'abcd' }))).produced).toBe(4);
  expect(seenIn('chat', stream(piece({ function_call: { name: 'go', arguments: '{}' } }))).produced).toBe(4);
  expect(seenIn('chat', stream(piece({ tool_calls: [{ custom: { name: 'go', input: 'x' } }] }))).produced).toBe(3);
});

test('an error in mid-stream is told', () => {
  const error = { error: { code: 'server_error', message: 'Provider returned error' }, choices: [] };
  const seen = seenIn('chat', stream(piece({ content: 'abc' }), error));
  expect(seen).toMatchObject({
    isWhole: false,
    produced: 3,
    error: { type: 'server_error', message: 'Provider returned error' },
  });
  expect(seenIn('chat', json({ error: 'out of memory' })).error).toEqual({ type: undefined, message: 'out of memory' });
});
