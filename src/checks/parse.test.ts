import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { MAX_ITEMS, parseItems } from './parse.ts';

const parse = (text: string) => parseItems(text, '/work/project');

test('reads both styles of the TypeScript compiler', () => {
  const text = [
    "src/sum.ts(1,5): error TS2322: Type 'string' is not assignable to type 'number'.",
    'src/app/view.tsx:12:7 - error TS2304: Cannot find name (here).',
    '',
    '12   render(model);',
    '     ~~~~~~',
    '',
    'Found 2 errors in 2 files.',
  ].join('\n');
  expect(parse(text)).toEqual([
    {
      file: 'src/sum.ts',
      line: 1,
      column: 5,
      rule: 'TS2322',
      message: "Type 'string' is not assignable to type 'number'.",
    },
    { file: 'src/app/view.tsx', line: 12, column: 7, rule: 'TS2304', message: 'Cannot find name (here).' },
  ]);
});

test('reads gcc, with errors before warnings and without notes', () => {
  const text = [
    "main.c: In function 'main':",
    "main.c:3:7: warning: unused variable 'x' [-Wunused-variable]",
    '    3 |   int x = 1;',
    "main.c:4:3: error: 'retrun' undeclared (first use in this function)",
    'main.c:4:3: note: each undeclared identifier is reported only once',
  ].join('\n');
  expect(parse(text)).toEqual([
    { file: 'main.c', line: 4, column: 3, message: "'retrun' undeclared (first use in this function)" },
    { file: 'main.c', line: 3, column: 7, rule: 'unused-variable', message: "unused variable 'x'" },
  ]);
});

test.each([
  ['./cmd/main.go:5:2: undefined: start', { file: 'cmd/main.go', line: 5, column: 2, message: 'undefined: start' }],
  ['vet: ./main.go:9:3: missing return', { file: 'main.go', line: 9, column: 3, message: 'missing return' }],
  [
    'pkg/a.go:7:9: Error return value is not checked (errcheck)',
    { file: 'pkg/a.go', line: 7, column: 9, rule: 'errcheck', message: 'Error return value is not checked' },
  ],
  [
    'app.py:3: error: Incompatible types in assignment  [assignment]',
    { file: 'app.py', line: 3, rule: 'assignment', message: 'Incompatible types in assignment' },
  ],
  [
    'src/app.py:1:8: F401 [*] `os` imported but unused',
    { file: 'src/app.py', line: 1, column: 8, rule: 'F401', message: '`os` imported but unused' },
  ],
  [
    '/work/project/a.js:2:5: Unexpected var. [Error/no-var]',
    { file: 'a.js', line: 2, column: 5, rule: 'no-var', message: 'Unexpected var.' },
  ],
  [
    'deploy.sh:4:6: warning: Double quote to prevent globbing. [SC2086]',
    { file: 'deploy.sh', line: 4, column: 6, rule: 'SC2086', message: 'Double quote to prevent globbing.' },
  ],
  ['Dockerfile:3: something is wrong', { file: 'Dockerfile', line: 3, message: 'something is wrong' }],
])('reads one line of a tool: %s', (line, item) => {
  expect(parse(line)).toEqual([item]);
});

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

test('reads the blocks of eslint', () => {
  const text = [
    '',
    '/work/project/src/a b.js',
    "   1:10  error    'unused' is defined but never used  no-unused-vars",
    '  12:5   warning  Unexpected console statement        no-console',
    '  13:1   error    Parsing error: Unexpected token }',
    '',
    '/work/project/src/c.js',
    '  2:1  error  Strings must use singlequote  @stylistic/quotes',
    '',
    '✖ 4 problems (3 errors, 1 warning)',
  ].join('\n');
  expect(parse(text)).toEqual([
    { file: 'src/a b.js', line: 1, column: 10, rule: 'no-unused-vars', message: "'unused' is defined but never used" },
    { file: 'src/a b.js', line: 13, column: 1, message: 'Parsing error: Unexpected token }' },
    { file: 'src/c.js', line: 2, column: 1, rule: '@stylistic/quotes', message: 'Strings must use singlequote' },
    { file: 'src/a b.js', line: 12, column: 5, rule: 'no-console', message: 'Unexpected console statement' },
  ]);
});

test('reads rustc, and takes its help as the remedy', () => {
  const text = [
    'error[E0308]: mismatched types',
    ' --> src/main.rs:4:18',
    '  |',
    '4 |     let x: u32 = "a";',
    '  |            ---   ^^^ expected `u32`, found `&str`',
    '  |',
    '  = help: parse the text first',
    '',
    'error: could not compile `demo` (bin "demo") due to 1 previous error',
  ].join('\n');
  expect(parse(text)).toEqual([
    {
      file: 'src/main.rs',
      line: 4,
      column: 18,
      rule: 'E0308',
      message: 'mismatched types',
      remediation: 'parse the text first',
    },
  ]);
});

test('reads ruff in its full form', () => {
  const text = [
    'F401 [*] `os` imported but unused',
    ' --> src/app.py:1:8',
    '  |',
    '1 | import os',
    '  |        ^^',
    'help: Remove unused import: `os`',
  ];
  expect(parse(text.join('\n'))).toEqual([
    {
      file: 'src/app.py',
      line: 1,
      column: 8,
      rule: 'F401',
      message: '`os` imported but unused',
      remediation: 'Remove unused import: `os`',
    },
  ]);
});

test('reads oxlint', () => {
  const text = [
    "  ! eslint(no-unused-vars): Variable 'a' is declared but never used.",
    '   ╭─[src/a.ts:2:5]',
    ' 1 │ let x = 1;',
    '   ╰────',
    '  help: Consider removing this declaration.',
    '',
    '  × typescript(no-floating-promises): Promises must be awaited',
    '   ,-[src/b.ts:9:3]',
  ].join('\n');
  expect(parse(text)).toEqual([
    {
      file: 'src/b.ts',
      line: 9,
      column: 3,
      rule: 'typescript(no-floating-promises)',
      message: 'Promises must be awaited',
    },
    {
      file: 'src/a.ts',
      line: 2,
      column: 5,
      rule: 'eslint(no-unused-vars)',
      message: "Variable 'a' is declared but never used.",
      remediation: 'Consider removing this declaration.',
    },
  ]);
});

test('reads biome, findings and formatting', () => {
  const text = [
    'src/a.ts:3:1 lint/suspicious/noDebugger  FIXABLE  ━━━━━━━━━━━━━━━━━━━━━━',
    '',
    '  × This is an unexpected use of the debugger statement.',
    '  ',
    '  > 3 │ debugger;',
    '',
    'src/a.ts format ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━',
    '',
    '  × Formatter would have printed the following content:',
    '',
    'check ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━',
    '',
    '  × Some errors were emitted while running checks.',
  ].join('\n');
  expect(parse(text)).toEqual([
    {
      file: 'src/a.ts',
      line: 3,
      column: 1,
      rule: 'lint/suspicious/noDebugger',
      message: 'This is an unexpected use of the debugger statement.',
    },
    { file: 'src/a.ts', rule: 'format', message: 'Formatter would have printed the following content:' },
  ]);
});

test('names the files that a formatter would change', () => {
  const text = [
    'Checking formatting...',
    '[warn] src/a.ts',
    '[warn] Code style issues found in the above file. Run Prettier with --write to fix.',
    'would reformat src/app.py',
    'Would reformat: src/other.py',
    'Diff in /work/project/src/main.rs:1:',
  ].join('\n');
  expect(parse(text).map(({ file, message }) => `${file} ${message}`)).toEqual([
    'src/a.ts is not formatted',
    'src/app.py is not formatted',
    'src/other.py is not formatted',
    'src/main.rs is not formatted',
  ]);
});

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

test('reads pytest: a failure in body and summary is one item', () => {
  const text = [
    '=================================== FAILURES ===================================',
    '___________________________________ test_adds __________________________________',
    '',
    '    def test_adds():',
    '>       assert add(1, 1) == 3',
    'E       assert 2 == 3',
    '',
    'tests/test_sum.py:12: AssertionError',
    '=========================== short test summary info ============================',
    'FAILED tests/test_sum.py::test_adds[one - two] - assert 2 == 3',
    'ERROR tests/test_other.py - ModuleNotFoundError: No module named requests',
    '========================= 1 failed, 1 error in 0.12s ===========================',
  ].join('\n');
  expect(parse(text)).toMatchObject([
    { file: 'tests/test_sum.py', line: 12, message: expect.stringContaining('assert 2 == 3') },
    {
      file: 'tests/test_other.py',
      message: 'the file could not be loaded: ModuleNotFoundError: No module named requests',
    },
  ]);
});

test('reads go test and cargo test', () => {
  const text = [
    '--- FAIL: TestAdd (0.00s)',
    '    add_test.go:12: got 3, want 4',
    '--- FAIL: TestSilent (0.00s)',
    'FAIL',
    'FAIL\texample.org/calc\t0.004s',
    "thread 'tests::adds' (4711) panicked at src/lib.rs:10:9:",
    'assertion `left == right` failed',
    '  left: 2',
  ].join('\n');
  expect(parse(text)).toEqual([
    { file: 'add_test.go', line: 12, message: 'TestAdd: got 3, want 4' },
    { message: 'TestSilent failed' },
    { file: 'src/lib.rs', line: 10, column: 9, message: 'tests::adds: assertion `left == right` failed' },
  ]);
});

test("takes the last frame of a Python traceback that is the workspace's own", () => {
  const text = [
    'FAIL: test_a (test_calc.Calc.test_a)',
    '----------------------------------------------------------------------',
    'Traceback (most recent call last):',
    '  File "/work/project/test_calc.py", line 8, in test_a',
    '    calc.run()',
    '  File "/work/project/calc.py", line 3, in run',
    '    raise ValueError("no")',
    '  File "/usr/lib/python3.12/decimal.py", line 99, in other',
    'ValueError: no',
    '  File "broken.py", line 2',
    '    def (',
    '        ^',
    'SyntaxError: invalid syntax',
  ].join('\n');
  expect(parse(text)).toEqual([
    { file: 'calc.py', line: 3, message: 'test_a (test_calc.Calc.test_a): ValueError: no' },
    { file: 'broken.py', line: 2, message: 'SyntaxError: invalid syntax' },
  ]);
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
