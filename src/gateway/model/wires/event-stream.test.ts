import { expect, test } from 'vitest';
import { EventStream } from './event-stream.ts';

function eventsIn(pieces: readonly string[], most = 1000): string[] {
  const events: string[] = [];
  const stream = new EventStream((data) => events.push(data), most);
  for (const piece of pieces) stream.take(Buffer.from(piece));
  return events;
}

test('an event is what stands in its data, without the one blank before it', () => {
  expect(eventsIn(['event: a\ndata: one\nid: 7\n\ndata:two\n\ndata:  three \n\n'])).toEqual(['one', 'two', ' three ']);
});

test('the data lines of one event belong together', () => {
  expect(eventsIn(['data: {\ndata: "a": 1\ndata\ndata: }\n\n'])).toEqual(['{\n"a": 1\n\n}']);
});

test('comments, other fields, empty lines and names that only begin like data are no events', () => {
  expect(eventsIn([': ping\n\n\n\nretry: 3\n\ndatum: 1\n\ndata2: 2\n\nDATA: 3\n\n'])).toEqual([]);
});

test('an event that has not ended is none, except for the mark of the stream’s end', () => {
  expect(eventsIn(['data: one\n'])).toEqual([]);
  expect(eventsIn(['data: one\n\ndata: [DONE]\n'])).toEqual(['one', '[DONE]']);
});

test('CR and LF that come apart end one line', () => {
  expect(eventsIn(['data: one\r', '\ndata: two\r', '\n', '\r', '\n'])).toEqual(['one\ntwo']);
  expect(eventsIn(['data: one\r', '\r', 'data: two\n', '', '\n'])).toEqual(['one', 'two']);
});

test('an event that is too long is left out, in one line or in several, and the next one is not', () => {
  const long = 'x'.repeat(30);
  const next = 'data: next\n\n';
  expect(eventsIn([`data: ${long}\n\n${next}`], 20)).toEqual(['next']);
  expect(eventsIn([`data: ${long.slice(0, 9)}`, long, long, `\ndata: more\n\n${next}`], 20)).toEqual(['next']);
  expect(eventsIn(['data: 1234567890\n', 'data: 1234567890\n', `data: 1234567890\n\n${next}`], 20)).toEqual(['next']);
});

test('an event that is as long as may be is not left out', () => {
  expect(eventsIn([`data: ${'x'.repeat(14)}\n\n`], 20)).toEqual(['x'.repeat(14)]);
});
