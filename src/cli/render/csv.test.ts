import { expect, test } from 'vitest';
import { csv } from './csv.ts';

test('lines end in CR LF, the last one as well', () => {
  expect(
    csv([
      ['a', 'b'],
      [1, 2.5],
    ]),
  ).toBe('a,b\r\n1,2.5\r\n');
});

test('only fields that need quotes have them, and quotes within are doubled', () => {
  expect(csv([['plain text', 'a,b', 'say "so"', 'two\nlines', '']])).toBe(
    'plain text,"a,b","say ""so""","two\nlines",\r\n',
  );
});

test('nothing is nothing', () => {
  expect(csv([])).toBe('');
});
