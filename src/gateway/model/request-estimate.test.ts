import { expect, test } from 'vitest';
import { NO_TOKENS } from '../../domain/model-call.ts';
import { estimateOf, ReadBefore } from './request-estimate.ts';

const PNG = Buffer.alloc(300_000, 7).toString('base64');
const AS_TEXT = PNG.length / 4;

function inputOf(body: Record<string, unknown>): number {
  return estimateOf(body, { bytes: JSON.stringify(body).length, readBefore: 0 }).input;
}

const says = (part: object) => ({ messages: [{ role: 'user', content: [part] }] });

test.each([
  ['of Anthropic', says({ type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } })],
  ['of Chat Completions', says({ type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } })],
  ['of Responses', { input: [{ role: 'user', content: [{ image_url: `data:image/png;base64,${PNG}` }] }] }],
  ['that Responses has made', { input: [{ type: 'image_generation_call', result: PNG }] }],
  ['of Gemini', { contents: [{ role: 'user', parts: [{ inlineData: { mimeType: 'image/png', data: PNG } }] }] }],
  [
    'in what a tool has answered',
    says({ type: 'tool_result', content: [{ type: 'image', source: { media_type: 'image/jpeg', data: PNG } }] }),
  ],
])('a picture %s counts as one', (_name, body) => {
  expect(inputOf(body)).toBeGreaterThan(1_600);
  expect(inputOf(body)).toBeLessThan(1_700);
});

test('each of several pictures counts, a small one for no more than its length', () => {
  const picture = (data: string) => ({ source: { media_type: 'image/png', data } });
  expect(inputOf({ messages: [picture(PNG), picture(PNG), picture(PNG)] })).toBeGreaterThan(4_800);
  expect(inputOf({ messages: [picture('aaaa')] })).toBeLessThan(30);
});

test.each([
  ['a text', says({ type: 'text', text: PNG })],
  ['a text under the name of data', says({ data: PNG })],
  ['an address without base64', says({ image_url: `data:image/png,${PNG}` })],
  ['what a tool is called with', says({ type: 'tool_use', input: { media_type: 'image/png', data: PNG } })],
  ['what a function is called with', says({ functionCall: { args: { mimeType: 'image/png', data: PNG } } })],
  ['a description of tools', { tools: [{ media_type: 'image/png', data: PNG }] }],
])('%s counts by its length, whatever it looks like', (_name, body) => {
  expect(inputOf(body)).toBeGreaterThan(AS_TEXT);
});

test('a document counts for more than a picture and less than text; sealed thoughts for less than they are long', () => {
  const pdf = inputOf(says({ source: { media_type: 'application/pdf', data: PNG } }));
  expect(pdf).toBeGreaterThan(5_000);
  expect(pdf).toBeLessThan(AS_TEXT / 10);
  expect(inputOf(says({ input_audio: { format: 'wav', data: PNG } }))).toBeLessThan(AS_TEXT / 10);
  expect(inputOf({ input: [{ type: 'reasoning', encrypted_content: 'a'.repeat(4_000) }] })).toBeLessThan(650);
  expect(inputOf({ input: [{ type: 'reasoning', encrypted_content: 'a'.repeat(800) }] })).toBeLessThan(30);
});

test('a body that is nested as deeply as can be is estimated all the same', () => {
  const depth = 200_000;
  const body = JSON.parse(`{"input":${'['.repeat(depth)}${']'.repeat(depth)}}`) as Record<string, unknown>;
  expect(estimateOf(body, { bytes: 2 * depth, readBefore: 0 }).input).toBe(depth / 2);
});

test.each([
  ['Anthropic', 'messages', { role: 'assistant', content: 'Yes.' }],
  ['Gemini', 'contents', { role: 'model', parts: [{ text: 'Yes.' }] }],
  ['Responses', 'input', { type: 'function_call', name: 'read', arguments: '{}' }],
])(
  'up to the last turn of the model, a request of %s may come out of a cache, as far as there is one',
  (_name, key, turn) => {
    const [old, fresh] = [{ text: 'word '.repeat(800) }, { text: 'more '.repeat(80) }];
    const body = { [key]: [old, turn, fresh] };
    const estimate = (readBefore: number) => estimateOf(body, { bytes: JSON.stringify(body).length, readBefore });
    const { input, cached } = estimate(1_000_000);
    expect(cached).toBeGreaterThan(1_000);
    expect(input - cached).toBeGreaterThan(100);
    expect(input - cached).toBeLessThan(120);
    expect(estimate(500)).toEqual({ input, cached: 500 });
    expect(estimate(0).cached).toBe(0);
    const first = { [key]: [old, fresh] };
    expect(estimateOf(first, { bytes: 5_000, readBefore: 1_000_000 }).cached).toBe(0);
  },
);

test('what a model has read is known of that model alone; of Anthropic’s, what it has put into its cache', () => {
  const read = new ReadBefore();
  read.note('responses', 'a', { ...NO_TOKENS, input: 500 });
  read.note('responses', 'a', { ...NO_TOKENS, input: 300 });
  read.note('anthropic', 'b', { ...NO_TOKENS, input: 500, cached: 100, cacheWrite: 50 });
  expect(['a', 'b', 'c', undefined].map((model) => read.of(model))).toEqual([500, 150, 0, 0]);
});
