import { expect, test } from 'vitest';
import { ANTHROPIC, ARGUMENTS, json, PRODUCED, SAID, SEEN, seenIn, stream, THOUGHT } from './fixture/answers.ts';

const NO_CACHE = { cached: 0, cacheWrite: 0, reasoning: 0 };

test('what was read counts what came out of the cache and what was put there', () => {
  const start = {
    type: 'message_start',
    message: { model: 'm', usage: { input_tokens: 3, cache_read_input_tokens: 5, cache_creation_input_tokens: 7 } },
  };
  expect(seenIn('anthropic', stream(start)).tokens).toEqual({
    input: 15,
    cached: 5,
    cacheWrite: 7,
    output: 0,
    reasoning: 0,
  });
});

test('what a stream says at its end goes before what it said at its beginning, unless it says less', () => {
  const start = { type: 'message_start', message: { model: 'm', usage: { input_tokens: 9, output_tokens: 1 } } };
  const end = (usage: object) => ({ type: 'message_delta', delta: {}, usage });
  expect(seenIn('anthropic', stream(start, end({ output_tokens: 20 }))).tokens).toEqual({
    ...NO_CACHE,
    input: 9,
    output: 20,
  });
  expect(seenIn('anthropic', stream(start, end({ input_tokens: 12, output_tokens: 20 }))).tokens).toEqual({
    ...NO_CACHE,
    input: 12,
    output: 20,
  });
  const blank = { input_tokens: 0, cache_read_input_tokens: null, output_tokens: 20 };
  expect(seenIn('anthropic', stream(start, end(blank))).tokens).toEqual({ ...NO_CACHE, input: 9, output: 20 });
});

test('what the server spent on shortening the conversation is added to what it says beside it', () => {
  const compaction = { type: 'compaction', input_tokens: 1000, output_tokens: 100 };
  const iterations = [compaction, { type: 'message', input_tokens: 9, output_tokens: 20 }];
  const end = { type: 'message_delta', delta: {}, usage: { input_tokens: 9, output_tokens: 20, iterations } };
  expect(seenIn('anthropic', stream(end)).tokens).toEqual({ ...NO_CACHE, input: 1009, output: 120 });
});

test('what another model was asked for is added to what is said beside it, and told with its name', () => {
  const advice = { type: 'advisor_message', model: 'dear', input_tokens: 82_300, output_tokens: 1_612 };
  const cached = { ...advice, input_tokens: 0, cache_read_input_tokens: 500, output_tokens: 0 };
  const messages = [
    { type: 'message', input_tokens: 400, output_tokens: 31 },
    { type: 'message', input_tokens: 12, output_tokens: 500 },
  ];
  const iterations = [messages[0], advice, cached, messages[1]];
  const end = { type: 'message_delta', delta: {}, usage: { input_tokens: 412, output_tokens: 531, iterations } };
  const start = { type: 'message_start', message: { model: 'm', usage: { input_tokens: 412, output_tokens: 1 } } };
  const blank = { type: 'message_delta', delta: {}, usage: { output_tokens: 531 } };
  const seen = seenIn('anthropic', stream(start, end, blank));
  expect(seen.tokens).toEqual({ ...NO_CACHE, input: 82_712, output: 2_143 });
  expect(seen.elsewhere).toEqual([
    { model: 'dear', tokens: { ...NO_CACHE, input: 82_300, output: 1_612 } },
    { model: 'dear', tokens: { ...NO_CACHE, input: 500, cached: 500, output: 0 } },
  ]);
});

test('what is in the sums already, and what the model used that answered in place of another, is not added', () => {
  const iterations = [
    { type: 'message', input_tokens: 0, output_tokens: 0 },
    { type: 'fallback_message', model: 'other', input_tokens: 9, output_tokens: 20 },
  ];
  const usage = { input_tokens: 9, output_tokens: 20, iterations };
  const seen = seenIn('anthropic', stream({ type: 'message_delta', delta: {}, usage }));
  expect(seen.tokens).toEqual({ ...NO_CACHE, input: 9, output: 20 });
  expect(seen.elsewhere).toEqual([{ model: 'other', tokens: { ...NO_CACHE, input: 9, output: 20 } }]);
  const summed = [
    { type: 'message', input_tokens: 9, output_tokens: 20 },
    { type: 'of_another_kind', input_tokens: 10, output_tokens: 5 },
  ];
  const all = { type: 'message_delta', delta: {}, usage: { input_tokens: 19, output_tokens: 25, iterations: summed } };
  expect(seenIn('anthropic', stream(all)).tokens).toEqual({ ...NO_CACHE, input: 19, output: 25 });
  expect(seenIn('anthropic', stream(all)).elsewhere).toBeUndefined();
});

test('signatures, and results of tools that the server runs, are not what the model produced', () => {
  const result = {
    type: 'web_fetch_tool_result',
    tool_use_id: 't',
    content: { type: 'web_fetch_result', text: 'long' },
  };
  const events = [
    { type: 'content_block_start', index: 0, content_block: result },
    { type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature: 'abc' } },
    {
      type: 'content_block_delta',
      index: 0,
      delta: { type: 'citations_delta', citation: { cited_text: 'x', text: 'y' } },
    },
    { type: 'content_block_start', index: 1, content_block: { type: 'redacted_thinking', data: 'abc' } },
  ];
  expect(seenIn('anthropic', stream(...events)).produced).toBe(0);
});

test('a block that begins with some of what is in it counts that', () => {
  const begins = (content_block: object) => ({ type: 'content_block_start', index: 0, content_block });
  expect(seenIn('anthropic', stream(begins({ type: 'text', text: 'abc' }))).produced).toBe(3);
  expect(seenIn('anthropic', stream(begins({ type: 'server_tool_use', name: 'go', input: { q: 1 } }))).produced).toBe(
    9,
  );
});

test('an answer that is no stream says all at once', () => {
  const message = {
    type: 'message',
    model: 'claude-x-20260101',
    content: [
      { type: 'thinking', thinking: THOUGHT, signature: 'abc' },
      { type: 'text', text: SAID },
      { type: 'tool_use', id: 't', name: 'write', input: JSON.parse(ARGUMENTS) as object },
    ],
    usage: {
      input_tokens: 20,
      cache_creation_input_tokens: 300,
      cache_read_input_tokens: 4000,
      output_tokens: 50,
      output_tokens_details: { thinking_tokens: 12 },
    },
  };
  expect(seenIn('anthropic', json(message))).toEqual(SEEN.anthropic);
});

test('an error in mid-stream is told, and leaves what was used without its last word', () => {
  const error = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } };
  const seen = seenIn('anthropic', stream(...ANTHROPIC.slice(0, -2), error));
  expect(seen).toMatchObject({ isWhole: false, produced: PRODUCED, tokens: { input: 4320, output: 1 } });
  expect(seen.error).toEqual({ type: 'overloaded_error', message: 'Overloaded' });
});

test('an error before anything was counted or produced means that nothing was used', () => {
  const error = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } };
  const nothing = { isWhole: true, produced: 0, tokens: { ...NO_CACHE, input: 0, output: 0 } };
  expect(seenIn('anthropic', stream(error))).toMatchObject(nothing);
  expect(seenIn('anthropic', json(error))).toMatchObject({ ...nothing, error: { type: 'overloaded_error' } });
});

test('an answer without an error has none', () => {
  expect(SEEN.anthropic.error).toBeUndefined();
  expect(seenIn('anthropic', stream(...ANTHROPIC)).error).toBeUndefined();
});

test('an error that is told at length is kept in short', () => {
  const error = { type: 'error', error: { type: 't'.repeat(9000), message: 'm'.repeat(9000) } };
  const { error: kept } = seenIn('anthropic', stream(error));
  expect([kept?.type?.length, kept?.message.length]).toEqual([200, 2000]);
});
