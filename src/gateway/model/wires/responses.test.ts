import { expect, test } from 'vitest';
import { json, PRODUCED, RESPONSE, RESPONSES, RESPONSES_USAGE, SEEN, seenIn, stream } from './fixture/answers.ts';

test('an answer that is no stream says all at once', () => {
  expect(seenIn('responses', json(RESPONSE.response))).toEqual(SEEN.responses);
});

test('a compaction says what it used', () => {
  const body = {
    object: 'response.compaction',
    output: [{ type: 'compaction', encrypted_content: 'abc' }],
    usage: RESPONSES_USAGE,
  };
  expect(seenIn('responses', json(body))).toMatchObject({ isWhole: true, tokens: SEEN.responses.tokens, produced: 0 });
});

test('what an item says is counted once, also where it comes without pieces', () => {
  const whole = RESPONSES.filter((event) => !('delta' in event));
  expect(seenIn('responses', stream(...whole))).toEqual(SEEN.responses);
});

test('sounds are not characters', () => {
  expect(seenIn('responses', stream({ type: 'response.audio.delta', delta: 'UklGRg==' })).produced).toBe(0);
  expect(seenIn('responses', stream({ delta: 'UklGRg==', type: 'response.audio.delta' })).produced).toBe(0);
});

test('it does not matter where in an event its type stands', () => {
  const events = RESPONSES.map((event) => Object.fromEntries(Object.entries(event).reverse()));
  expect(seenIn('responses', stream(...events))).toEqual(SEEN.responses);
});

test('an incomplete answer is whole, and no error', () => {
  const response = { ...RESPONSE.response, status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } };
  const seen = seenIn('responses', stream(...RESPONSES.slice(0, -1), { type: 'response.incomplete', response }));
  expect(seen).toEqual(SEEN.responses);
});

const failed = (response: object) => ({
  type: 'response.failed',
  response: { status: 'failed', model: 'gpt-x-2026', ...response },
});

test('a failed answer is told, and is whole where it says what it used', () => {
  const error = { code: 'server_error', message: 'Sorry.' };
  const begun = RESPONSES.slice(0, -1);
  const said = seenIn('responses', stream(...begun, failed({ error, usage: RESPONSES_USAGE })));
  expect(said).toEqual({ ...SEEN.responses, error: { type: 'server_error', message: 'Sorry.' } });
  const unsaid = seenIn('responses', stream(...begun, failed({ error, usage: null })));
  expect(unsaid).toMatchObject({
    isWhole: false,
    tokens: undefined,
    produced: PRODUCED,
    error: { type: 'server_error' },
  });
});

test('an answer that failed before it began has used nothing', () => {
  const error = { code: 'rate_limit_exceeded', message: 'Slow down.' };
  const seen = seenIn('responses', stream(RESPONSES[0]!, failed({ error, usage: null })));
  expect(seen).toMatchObject({
    isWhole: true,
    tokens: { input: 0, output: 0 },
    error: { type: 'rate_limit_exceeded' },
  });
});

test('an event of an error is read in both of its forms', () => {
  const flat = { type: 'error', code: 'server_error', message: 'Sorry.', param: null, sequence_number: 3 };
  const nested = { type: 'error', error: { type: 'server_error', code: null, message: 'Sorry.' } };
  for (const event of [flat, nested]) {
    expect(seenIn('responses', stream(event)).error).toEqual({ type: 'server_error', message: 'Sorry.' });
  }
});

test('a failure without a reason is one all the same', () => {
  expect(seenIn('responses', stream(failed({}))).error).toEqual({ type: undefined, message: 'no reason was given' });
});
