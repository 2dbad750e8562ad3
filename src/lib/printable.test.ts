import { expect, test } from 'vitest';
import { printable, printableJson, printableLine } from './printable.ts';

test('plain text, accents, emoji and line breaks stay as they are', () => {
  const text = 'naïve 日本 👩‍💻\n\tindented\n';
  expect(printable(text)).toBe(text);
});

test('colours, cursor movements, titles and links are taken out', () => {
  expect(printable('\u001b[31mred\u001b[0m \u001b[2J\u001b[Hhome')).toBe('red home');
  expect(printable('\u001b]0;title\u0007after')).toBe('after');
  expect(printable('\u001b]8;;http://x\u001b\\link\u001b]8;;\u001b\\')).toBe('link');
});

test('no control character is left, not even of a sequence that is broken off or hidden in another', () => {
  const hostile = [
    '\u001b]52;c;aGk=',
    '\u001b\u0000[31m',
    '\u009b31m',
    '\u001bP1;2|x',
    'a\bb\u007f',
    '\u001b\u001b[0m[31m',
  ];
  for (const text of hostile) expect(printable(text)).not.toMatch(/[^\P{Cc}\n\t]/u);
});

test('a sequence without an end does not swallow the text after it', () => {
  expect(printable('\u001b]0;title\nrm -rf /')).toContain('rm -rf /');
});

test('carriage returns become line breaks, so that nothing is overwritten', () => {
  expect(printable('safe\rEVIL\r\nnext')).toBe('safe\nEVIL\nnext');
});

test('bidirectional controls and tag characters are taken out', () => {
  expect(printable('a\u202eb\u2066c\u{e0041}d')).toBe('abcd');
});

test('half a surrogate pair becomes the replacement character', () => {
  expect(printable('\ud800x')).toBe('\ufffdx');
});

test('a line is one line', () => {
  expect(printableLine('  one\n\ttwo\r\n three ')).toBe('one two three');
});

test('JSON keeps its value and holds nothing that a terminal obeys', () => {
  const value = { text: 'a\u009b31m\u202e\u007f\u2028\u001b[0m' };
  const line = printableJson(value);
  expect(JSON.parse(line)).toEqual(value);
  expect(line).toMatch(/^[\x20-\x7e]+$/);
});
