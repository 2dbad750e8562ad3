import { expect, test } from 'vitest';
import { parseItems } from '../parse.ts';

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
