import { expect, test } from 'vitest';
import { parseItems } from '../parse.ts';

const parse = (text: string) => parseItems(text, '/work/project');

test('reads vitest: the failed test, its message, and the place in the test', () => {
  const text = [
    ' ❯ src/sum.test.ts (2 tests | 1 failed) 6ms',
    '     × adds two 4ms',
    '',
    '⎯⎯⎯⎯⎯⎯⎯ Failed Tests 1 ⎯⎯⎯⎯⎯⎯⎯',
    '',
    ' FAIL  src/sum.test.ts > sum > adds two',
    'AssertionError: expected 2 to be 3 // Object.is equality',
    '',
    '- Expected',
    '+ Received',
    '',
    ' ❯ add node_modules/lib/index.js:2:6',
    ' ❯ src/sum.test.ts:5:21',
    '      4|   const sum = 1 + 1;',
    '      5|   expect(sum).toBe(3);',
    '',
    '⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯[1/2]⎯',
    '',
    ' FAIL  src/none.test.ts [ src/none.test.ts ]',
    'Error: No test suite found in file /work/project/src/none.test.ts',
    '⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯[2/2]⎯',
  ].join('\n');
  expect(parse(text)).toEqual([
    {
      file: 'src/sum.test.ts',
      line: 5,
      column: 21,
      message: 'sum > adds two: AssertionError: expected 2 to be 3 // Object.is equality',
    },
    {
      file: 'src/none.test.ts',
      message: 'src/none.test.ts: Error: No test suite found in file /work/project/src/none.test.ts',
    },
  ]);
});

test('reads jest: frames of dependencies are passed over', () => {
  const text = [
    'FAIL src/sum.test.js',
    '  ● sum › adds two',
    '',
    '    expect(received).toBe(expected) // Object.is equality',
    '',
    '    Expected: 3',
    '    Received: 2',
    '',
    '      4 |     expect(1 + 1).toBe(3);',
    '        |                   ^',
    '',
    '      at toBe (node_modules/expect/build/index.js:10:3)',
    '      at Object.<anonymous> (src/sum.test.js:4:19)',
    '',
    'Tests:       1 failed, 1 total',
  ].join('\n');
  expect(parse(text)).toEqual([
    {
      file: 'src/sum.test.js',
      line: 4,
      column: 19,
      message: 'sum › adds two: expect(received).toBe(expected) // Object.is equality',
    },
  ]);
});

test('reads the failing tests of node:test once', () => {
  const text = [
    '▶ outer',
    '  ✖ adds (1.035566ms)',
    '✖ outer (1.802303ms)',
    'ℹ fail 2',
    '',
    '✖ failing tests:',
    '',
    'test at src/sum.test.mjs:2:38',
    '✖ adds (1.035566ms)',
    '  AssertionError [ERR_ASSERTION]: 1 == 2',
    '      at TestContext.<anonymous> (file:///work/project/src/sum.test.mjs:2:66)',
    '      at Test.run (node:internal/test_runner/test:1402:25)',
  ].join('\n');
  expect(parse(text)).toEqual([
    { file: 'src/sum.test.mjs', line: 2, column: 38, message: 'adds: AssertionError [ERR_ASSERTION]: 1 == 2' },
  ]);
});

test('reads TAP, without the tests that only hold failed ones', () => {
  const text = [
    'TAP version 13',
    '    not ok 1 - adds',
    '      ---',
    "      location: '/work/project/src/sum.test.mjs:2:38'",
    "      error: '1 == 2'",
    '      ...',
    'not ok 1 - outer',
    '  ---',
    "  error: '1 subtest failed'",
    '  ...',
    'not ok 2 - later # TODO not yet',
    'ok 3 - fine',
    'not ok 4 - bare',
  ].join('\n');
  expect(parse(text)).toEqual([
    { file: 'src/sum.test.mjs', line: 2, column: 38, message: 'adds: 1 == 2' },
    { message: 'bare failed' },
  ]);
});
