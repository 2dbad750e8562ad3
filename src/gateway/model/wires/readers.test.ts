import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ModelApi } from '../../../domain/model-call.ts';
import { json, readAll, SAID, SEEN, STREAMS, seenIn, stream, THOUGHT } from './fixture/answers.ts';
import { wireOf } from './index.ts';

// What holds for the readers of all protocols.

const APIS = ModelApi.options;
const api = fc.constantFrom(...APIS);

/** The bytes, cut at some places. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...new Set(places.map((place) => place % bytes.length)), bytes.length].sort((a, b) => a - b);
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

test.each(APIS)('a stream of %s is seen as it is', (api) => {
  expect(seenIn(api, STREAMS[api])).toEqual(SEEN[api]);
});

test.each(APIS)('a stream of %s is seen alike when each byte comes alone', (api) => {
  expect(seenIn(api, ...cut(STREAMS[api], [...STREAMS[api].keys()]))).toEqual(SEEN[api]);
});

test('a stream is seen alike however it is cut, and however its lines end', () => {
  const ends = fc.constantFrom('\n', '\r\n', '\r');
  fc.assert(
    fc.property(api, ends, fc.array(fc.nat(), { maxLength: 40 }), (api, end, places) => {
      const bytes = Buffer.from(STREAMS[api].toString().replaceAll('\n', end));
      expect(seenIn(api, ...cut(bytes, places))).toEqual(SEEN[api]);
    }),
  );
});

test('what is seen of a stream’s beginning does not depend on how it is cut either', () => {
  fc.assert(
    fc.property(api, fc.nat(), fc.array(fc.nat(), { maxLength: 10 }), (api, length, places) => {
      const bytes = STREAMS[api].subarray(0, 1 + (length % STREAMS[api].length));
      expect(seenIn(api, ...cut(bytes, places))).toEqual(seenIn(api, bytes));
    }),
  );
});

test('no bytes have a reader throw', () => {
  const junk = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.json().map((text) => Buffer.from(`data: ${text}\n\n`)),
    fc
      .constantFrom('\n', 'data:', 'data', '{', '[', '"', '\\', '[DONE]', ': ping\n\n')
      .map((text) => Buffer.from(text)),
    api.map((api) => STREAMS[api]),
  );
  fc.assert(
    fc.property(api, fc.array(junk, { maxLength: 8 }), (api, pieces) => {
      const { produced, tokens } = seenIn(api, ...pieces);
      expect(produced).toBeGreaterThanOrEqual(0);
      expect(tokens === undefined || tokens.input >= 0).toBe(true);
    }),
  );
});

test('no value in any place of an answer has a reader throw, or counts as less than nothing', () => {
  const values = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom(-1, 1e300, {}, [], null, [null], [[]]));
  const paths = APIS.flatMap((api) => pathsIn(api).map((path) => ({ api, path })));
  fc.assert(
    fc.property(fc.constantFrom(...paths), values, ({ api, path }, value) => {
      const events = eventsOf(api);
      set(events, path, value);
      const { produced, tokens } = seenIn(api, stream(...events.map((event) => JSON.stringify(event))));
      expect([produced, ...Object.values(tokens ?? {})].every((number) => number >= 0)).toBe(true);
    }),
    { numRuns: 1000 },
  );
});

function eventsOf(api: ModelApi): object[] {
  const lines = STREAMS[api].toString().split('\n');
  const texts = lines.filter((line) => line.startsWith('data: {')).map((line) => line.slice('data: '.length));
  return texts.map((text) => JSON.parse(text) as object);
}

type Path = readonly string[];

function pathsIn(api: ModelApi): Path[] {
  const below = (value: unknown, path: Path): Path[] =>
    typeof value !== 'object' || value === null
      ? [path]
      : [path, ...Object.entries(value).flatMap(([name, inner]) => below(inner, [...path, name]))];
  return below(eventsOf(api), []).slice(1);
}

function set(target: object, path: Path, value: unknown): void {
  const [name = '', ...rest] = path;
  if (rest.length === 0) Object.assign(target, { [name]: value });
  else set((target as Record<string, object>)[name] ?? {}, rest, value);
}

test.each([
  ['anthropic', (text: string) => ({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } })],
  ['responses', (delta: string) => ({ type: 'response.output_text.delta', item_id: 'm', delta, logprobs: [] })],
  ['chat', (content: string) => ({ choices: [{ index: 0, delta: { content } }] })],
  ['gemini', (text: string) => ({ candidates: [{ content: { parts: [{ text }] } }] })],
] as const)('characters of %s are counted as they are when they are read, however they are written', (api, event) => {
  const writings: readonly ((event: object) => string)[] = [
    (event) => JSON.stringify(event),
    (event) => JSON.stringify(event, null, ' ').replaceAll(/\n */g, ' '),
    (event) =>
      JSON.stringify(event).replaceAll(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
  ];
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.constantFrom(...writings), (text, write) => {
      expect(seenIn(api, Buffer.from(`data: ${write(event(text))}\n\n`)).produced).toBe(text.length);
    }),
  );
});

test.each(APIS)('a stream of %s that broke off is not whole, and what has come of it is counted', (api) => {
  const bytes = STREAMS[api];
  const seen = seenIn(api, bytes.subarray(0, bytes.indexOf('drei')));
  expect(seen).toMatchObject({ isWhole: false, model: SEEN[api].model });
  expect(seen.produced).toBeGreaterThanOrEqual(THOUGHT.length);
  expect(seen.produced).toBeLessThan(THOUGHT.length + SAID.length);
});

test.each(APIS)('an answer of %s that is no model’s is nothing', (api) => {
  const nothing = { model: undefined, tokens: undefined, isWhole: false, produced: 0, error: undefined };
  expect(seenIn(api)).toEqual(nothing);
  expect(seenIn(api, Buffer.from('<html><body>Bad gateway</body></html>\n\n'))).toEqual(nothing);
  expect(seenIn(api, Buffer.from(' \n'), Buffer.from('\n'))).toEqual(nothing);
});

test.each(APIS)('a mark of the byte order before an answer of %s is not a part of it', (api) => {
  expect(seenIn(api, Buffer.from([0xef]), Buffer.from([0xbb, 0xbf]), STREAMS[api])).toEqual(SEEN[api]);
});

test.each(APIS)('of a line of %s without an end, no more is held than the bound', (api) => {
  const reader = wireOf(api).reader('text/event-stream');
  const piece = Buffer.alloc(2 ** 20, 'a');
  const before = process.memoryUsage().arrayBuffers;
  reader.take(Buffer.from('data: {"type":"'));
  for (let megabytes = 0; megabytes < 64; megabytes++) reader.take(piece);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 2 ** 20);
  expect(readAll(reader, [Buffer.from('\n\n'), STREAMS[api]]).seen).toEqual(SEEN[api]);
});

test.each(APIS)('of a body of %s without an end, no more is held than the bound, and its length is counted', (api) => {
  const reader = wireOf(api).reader('application/json');
  const piece = Buffer.alloc(2 ** 20, 'a');
  const before = process.memoryUsage().arrayBuffers;
  reader.take(Buffer.from('{"'));
  for (let megabytes = 0; megabytes < 64; megabytes++) reader.take(piece);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 2 ** 20);
  expect(reader.seen).toMatchObject({ isWhole: false, produced: 64 * 2 ** 20 + 2, tokens: undefined });
});

test.each(APIS)('an endless list in an answer of %s has no reader throw', (api) => {
  const nested = '['.repeat(200_000);
  expect(seenIn(api, Buffer.from(`data: {"candidates":${nested}${']'.repeat(200_000)}}\n\n`)).produced).toBe(0);
  expect(seenIn(api, Buffer.from(`${nested}${']'.repeat(200_000)}`))).toMatchObject({ tokens: undefined });
  expect(seenIn(api, json({ error: null }))).toMatchObject({ error: undefined });
});
