import { expect, test } from 'vitest';
import { parseItems } from '../parse.ts';

const parse = (text: string) => parseItems(text, '/work/project');

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
