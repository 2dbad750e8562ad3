import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { MAX_ITEMS, parseItems } from './parse.ts';

const parse = (text: string) => parseItems(text, '/work/project');

test.each([
  '12:30:45: the server is up',
  'http://localhost:3000: refused',
  '127.0.0.1:8080: connection refused',
  'npm ERR! code ELIFECYCLE',
  '../other/a.ts:1:2: outside of the workspace',
  '/etc/hosts.conf:1: outside of the workspace',
  'src/a.ts:3:',
  '✔ adds two (1.2ms)',
  'ok 1 - adds',
  'See docs at example.html:',
])('finds nothing in: %s', (line) => {
  expect(parse(line)).toEqual([]);
});

test('gives at most 50 items, each once', () => {
  const lines = Array.from({ length: 80 }, (_, index) => `a.c:${index + 1}:1: error: no`);
  expect(parse([...lines, ...lines].join('\n'))).toHaveLength(MAX_ITEMS);
  expect(parse([lines[0], lines[0]].join('\n'))).toHaveLength(1);
});

test.each([
  ['a line of a megabyte', 'a'.repeat(1_000_000)],
  ['a megabyte of digits and colons', ':1'.repeat(500_000)],
  ['a path that never ends', `${'a/'.repeat(100_000)}x.ts:1:2: no`],
  ['many blanks', `src/a.ts:1:1: ${' '.repeat(200_000)}x`],
  ['many lines of blanks', `${' '.repeat(1999)}x\n`.repeat(130)],
  ['many long lines with colons', `${'a.b:1'.repeat(399)}\n`.repeat(130)],
  ['many long lines of brackets', `${'(1,1'.repeat(499)}\n`.repeat(130)],
  ['many long lines of frames', ` FAIL  a.ts > b\n${' at a ('.repeat(280)}\n`.repeat(130)],
  ['many long lines of quotes', `  File "${'"'.repeat(1900)}\n`.repeat(130)],
  ['many short lines', 'a.c:1:1: error: no\n'.repeat(14_000)],
])('reads %s in linear time', (_, text) => {
  const started = performance.now();
  parse(text);
  expect(performance.now() - started).toBeLessThan(3000);
});

test('never throws and never gives a place outside of the workspace, whatever the text', () => {
  const piece = fc.constantFrom(
    'src/a.ts',
    '../b.ts',
    '/etc/c.ts',
    ':1',
    ':2',
    '(3,4)',
    ': error',
    ' FAIL  ',
    ' > ',
    '✖ ',
    '--> ',
    'at ',
    '\n',
    'x',
    ' ',
    'not ok 1 - ',
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(piece, fc.string())), (pieces) => {
      for (const item of parse(pieces.join(''))) {
        expect(item.file ?? 'a').not.toMatch(/^(?:\/|\.\.)/);
        expect(item.line ?? 1).toBeGreaterThan(0);
      }
    }),
  );
});
