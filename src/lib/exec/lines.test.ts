import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { type Line, linesOf } from './lines.ts';

test('gives the lines without their ends, whatever the pieces they come in', async () => {
  expect(await texts(['a\nb', 'c\r\n', '\n', 'd', 'e\n'])).toEqual(['a', 'bc', '', 'de']);
});

test('counts a last line without an end, but no empty one', async () => {
  expect(await texts(['a\n', 'b'])).toEqual(['a', 'b']);
  expect(await texts(['a\n'])).toEqual(['a']);
  expect(await texts([])).toEqual([]);
});

test('keeps letters whole that come in two pieces', async () => {
  const bytes = Buffer.from('ü€😀\n');
  const pieces = Array.from(bytes, (byte) => Buffer.from([byte]));
  expect(await lines(pieces)).toEqual([{ text: 'ü€😀', cut: 0 }]);
});

test('cuts a line that is too long, and says by how much', async () => {
  expect(await lines(['12345', '678\nab\n'], 6)).toEqual([
    { text: '123456', cut: 2 },
    { text: 'ab', cut: 0 },
  ]);
});

test('ends when the stream breaks', async () => {
  const stream = new Readable({ read: () => undefined });
  stream.push('a\nb');
  setImmediate(() => stream.destroy(new Error('broken')));
  const found: string[] = [];
  for await (const { text } of linesOf(stream)) found.push(text);
  expect(found).toEqual(['a', 'b']);
});

test('takes no more from the stream than is asked for', async () => {
  let taken = 0;
  const stream = new Readable({
    read() {
      taken += 1;
      this.push('x'.repeat(10_000) + '\n');
    },
  });
  const reading = linesOf(stream);
  await reading.next();
  await reading.next();
  expect(taken).toBeLessThan(30);
  stream.destroy();
});

async function lines(pieces: readonly (string | Buffer)[], maxLength?: number): Promise<Line[]> {
  const found: Line[] = [];
  const stream = Readable.from(
    pieces.map((piece) => Buffer.from(piece)),
    { objectMode: false },
  );
  for await (const line of linesOf(stream, maxLength)) found.push(line);
  return found;
}

async function texts(pieces: readonly string[]): Promise<string[]> {
  return (await lines(pieces)).map(({ text }) => text);
}
