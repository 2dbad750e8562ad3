import { expect, test } from 'vitest';
import { PLAIN } from './style.ts';
import { table } from './table.ts';
import { fit, padEnd, widthOf, wrap } from './width.ts';

const ROWS = [
  ['RUN', 'STATE', 'TITLE'],
  ['fix-it', 'running', 'A title that is rather long for a table'],
  ['日本', 'parked', 'short'],
];

test('columns are aligned, wide characters count as two', () => {
  expect(table(ROWS, PLAIN, { shrink: [[2, 8]] })).toEqual([
    'RUN     STATE    TITLE',
    'fix-it  running  A title that is rather long for a table',
    '日本    parked   short',
  ]);
});

test('the column that may give way does, and no line is longer than the terminal', () => {
  const lines = table(ROWS, { ...PLAIN, width: 30 }, { shrink: [[2, 8]] });
  expect(lines[1]).toBe('fix-it  running  A title that…');
  for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(30);
});

test('a terminal that is far too narrow still gets lines that fit', () => {
  for (const line of table(ROWS, { ...PLAIN, width: 12 }, { shrink: [[2, 8]] }))
    expect(widthOf(line)).toBeLessThanOrEqual(12);
});

test('cells are coloured after their width is settled', () => {
  const lines = table(ROWS, PLAIN, {
    shrink: [[2, 8]],
    paint: (cell, row, column) => (row === 1 && column === 1 ? `<${cell}>` : cell),
  });
  expect(lines[1]).toBe('fix-it  <running>  A title that is rather long for a table');
});

test('widths know combining marks, emoji and ASCII', () => {
  expect([widthOf('abc'), widthOf('e\u0301'), widthOf('👩‍💻'), widthOf('日')]).toEqual([3, 1, 2, 2]);
});

test('a text is cut between characters, never within one', () => {
  expect(fit('日本語', 4)).toBe('日…');
  expect(fit('abc', 3)).toBe('abc');
  expect(fit('abcd', 3)).toBe('ab…');
  expect(padEnd('日', 4)).toBe('日  ');
});

test('a line is broken between words, within one that is too long, and goes on where its text began', () => {
  expect(wrap('short', 10)).toEqual(['short']);
  expect(wrap('  one two three four', 11)).toEqual(['  one two', '  three', '  four']);
  expect(wrap('abcdefghij k', 4)).toEqual(['abcd', 'efgh', 'ij k']);
  expect(wrap('日本語の文', 4)).toEqual(['日本', '語の', '文']);
  expect(wrap('   a b', 4)).toEqual(['a b']);
  expect(wrap(' - one two three', 10)).toEqual([' - one two', '   three']);
});
