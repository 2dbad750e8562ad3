import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { expect, test } from 'vitest';
import { keepTail } from './tail.ts';

test('keeps all of a short output', async () => {
  expect(await tailOf(['a\n', 'b'], 100)).toBe('a\nb');
});

test('keeps whole lines from the end of a long one, and says that the beginning is gone', async () => {
  const lines = Array.from({ length: 1000 }, (_, number) => `line ${number}\n`);
  expect(await tailOf(lines, 30)).toBe('[the beginning was left out]\nline 997\nline 998\nline 999\n');
});

test('survives a stream that breaks', async () => {
  const stream = new Readable({ read: () => undefined });
  const tail = keepTail(stream);
  stream.push('last words');
  await new Promise((resolve) => stream.once('data', resolve));
  stream.destroy(new Error('broken'));
  expect(tail.text()).toBe('last words');
});

async function tailOf(pieces: readonly string[], maxBytes: number): Promise<string> {
  const stream = Readable.from(
    pieces.map((piece) => Buffer.from(piece)),
    { objectMode: false },
  );
  const tail = keepTail(stream, maxBytes);
  await finished(stream);
  return tail.text();
}
