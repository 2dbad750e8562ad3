import { expect, test } from 'vitest';
import { readSource } from './source-file.ts';

const found = (text: string) => readSource('a.ts', text).imports.map(({ kind, specifier }) => [kind, specifier]);

test.each([
  ["import a from './a.ts'", 'import'],
  ["import { a, type B as C } from './a.ts'", 'import'],
  ["import a, { b } from './a.ts'", 'import'],
  ["import * as a from './a.ts'", 'import'],
  ["import type { A } from './a.ts'", 'import'],
  ["import type A from './a.ts'", 'import'],
  ["import from from './a.ts'", 'import'],
  ['import { "odd name" as a } from "./a.ts"', 'import'],
  ["import './a.ts'", 'import'],
  ["import{a}from'./a.ts'", 'import'],
  ["import /* why */ {\n  a, // this\n} from\n'./a.ts'", 'import'],
  ["import a from './a.ts' with { type: 'json' }", 'import'],
  ["export * from './a.ts'", 're-export'],
  ["export * as a from './a.ts'", 're-export'],
  ["export { a, type B } from './a.ts'", 're-export'],
  ["export type { A } from './a.ts'", 're-export'],
  ["export type * from './a.ts'", 're-export'],
  ["const a = await import('./a.ts')", 'dynamic'],
  ['const a = await import(`./a.ts`)', 'dynamic'],
  ["type A = import('./a.ts').A", 'dynamic'],
  ["type A = typeof import('./a.ts')", 'dynamic'],
  ["const a = require('./a.ts')", 'dynamic'],
  ["const text = `${await import('./a.ts')}`", 'dynamic'],
])('finds the import of %j', (text, kind) => {
  expect(found(text)).toEqual([[kind, './a.ts']]);
});

test('finds all imports of a file, in order and each at its line', () => {
  const { imports } = readSource(
    'a.ts',
    "import { a } from 'a';\n\nexport { b } from 'b';\nexport const c = () => import('c');\n",
  );
  expect(imports.map(({ specifier, line }) => `${specifier}:${line}`)).toEqual(['a:1', 'b:3', 'c:4']);
});

test('says that a dynamic import does not name its module', () => {
  expect(found('await import(name); await import(`./${name}.ts`)')).toEqual([
    ['dynamic', undefined],
    ['dynamic', undefined],
  ]);
});

test.each([
  "// import { a } from './a.ts'",
  `const text = "import { a } from './a.ts'"`,
  "const text = `import { a } from './a.ts'`",
  'const url = import.meta.url',
  "const pattern = /import '(.*)'/",
  "const { import: a } = { import: './a.ts' }",
  "api.import('./a.ts')",
  "export const from = './a.ts'",
  "export { a };\nconst from = './a.ts'",
  "export default './a.ts'",
])('finds no import in %j', (text) => {
  expect(found(text)).toEqual([]);
});

test.each([
  ["export { a } from './a.ts'", true],
  ["import { a } from './a.ts';\nimport './b.ts';\nexport { a };", true],
  ["/** Why. */\nexport type * from './a.ts';\nexport * from './b.ts';", true],
  ["export { a } from './a.ts';\nexport const b = 1;", false],
  ["import './a.ts';", false],
  ['export const a = 1;', false],
  ['', false],
])('%j is a barrel: %j', (text, expected) => {
  expect(readSource('a.ts', text).isBarrel).toBe(expected);
});

test.each([
  ['', 0],
  ['a', 1],
  ['a\n', 1],
  ['a\n\n', 2],
])('%j has %i lines', (text, lines) => {
  expect(readSource('a.ts', text).lines).toBe(lines);
});
