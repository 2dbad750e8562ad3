import { expect, test } from 'vitest';
import { crashPointsIn, judgeCrashPoints } from './crash-points.ts';
import { packageOf, readDependencies } from './dependencies.ts';
import { FILE_RULES } from './judge-files.ts';
import { judgeImports } from './judge-imports.ts';
import { readSource } from './source-file.ts';

const known = new Set([
  'src/lib/ids.ts',
  'src/domain/run.ts',
  'src/store/runs.ts',
  'src/store/fixture.ts',
  'src/engine/settle.ts',
  'src/nodes/check/index.ts',
  'src/adapters/agents/codex/index.ts',
  'src/daemon/main.ts',
  'src/testing/manual-clock.ts',
  'test/support/installation.ts',
]);
const dependencies = [
  { name: 'pg', folders: ['store'] },
  { name: 'vitest', folders: ['tests'] },
];

const against = (path: string, specifier: string) =>
  judgeImports(readSource(path, `import '${specifier}';`), known, dependencies).map(({ message }) => message);

test.each([
  ['src/engine/claim.ts', '../store/runs.ts'],
  ['src/engine/claim.ts', './settle.ts'],
  ['src/engine/claim.ts', '../lib/ids.ts'],
  ['src/engine/claim.ts', '../domain/run.ts'],
  ['src/engine/claim.ts', '../nodes/check/index.ts'],
  ['src/engine/claim.ts', 'node:path'],
  ['src/engine/claim.test.ts', '../testing/manual-clock.ts'],
  ['src/store/runs.test.ts', './fixture.ts'],
  ['src/store/runs.ts', 'pg'],
  ['src/store/runs.test.ts', 'vitest'],
  ['src/daemon/compose.ts', '../adapters/agents/codex/index.ts'],
  ['src/cli/commands/server.ts', '../../daemon/main.ts'],
  ['test/scenarios/merge.test.ts', '../../src/store/runs.ts'],
])('%s may import %s', (path, specifier) => {
  expect(against(path, specifier)).toEqual([]);
});

test.each([
  ['src/store/runs.ts', '../engine/settle.ts', 'store may import'],
  ['src/lib/ids.ts', '../domain/run.ts', 'lib may import'],
  ['src/domain/run.ts', '../store/runs.ts', 'domain may import'],
  ['src/nodes/agent/index.ts', '../check/index.ts', 'nodes/agent may import'],
  ['src/adapters/agents/custom/index.ts', '../codex/index.ts', 'adapters/agents/custom may import'],
  ['src/cli/commands/run.ts', '../../daemon/main.ts', 'cli may import'],
  ['src/engine/claim.ts', '../testing/manual-clock.ts', 'engine may import'],
  ['src/engine/claim.test.ts', '../daemon/main.ts', 'it belongs into test/'],
  ['src/store/runs.ts', './fixture.ts', 'for tests only'],
  ['src/engine/claim.ts', '../../test/support/installation.ts', 'src/testing/'],
  ['src/engine/claim.ts', '../store/runs', 'end in .ts'],
  ['src/engine/claim.ts', 'path', 'node:path'],
  ['src/engine/claim.ts', 'pg', 'allows it in store'],
  ['src/store/runs.ts', 'knex', 'does not name it'],
  ['src/store/runs.ts', 'vitest', 'allows it in tests'],
  ['src/engine/claim.ts', 'switchyard/plugin', 'the package itself'],
  ['src/helpers/all.ts', 'node:path', 'no row of the import table'],
])('%s may not import %s', (path, specifier, said) => {
  expect(against(path, specifier)).toEqual([expect.stringContaining(said)]);
});

test.each([
  ['programs are started in a few places only', 'src/engine/a.ts', "import { spawn } from 'node:child_process';"],
  ['the environment is read at the edges only', 'src/engine/a.ts', 'const home = process.env.HOME;'],
  ['the environment is read at the edges only', 'src/engine/a.ts', "const home = process['env'].HOME;"],
  ['there is no default export', 'src/engine/a.ts', 'export default function a() {}'],
  ['there is no default export', 'src/engine/a.ts', 'const a = 1; export { a as default };'],
  ['no file is too long to be read', 'src/engine/a.ts', 'a;\n'.repeat(401)],
  ['there are no barrels but the two public doors', 'src/engine/index.ts', "export * from './a.ts';"],
  ['no module is mocked', 'src/engine/a.test.ts', "vi.mock('./b.ts');"],
  ['tests lie beside the code', 'src/engine/__tests__/a.test.ts', ''],
])('the rule "%s" speaks up in %s', (rule, path, text) => {
  expect(FILE_RULES[rule]?.(readSource(path, text))).toHaveLength(1);
});

test.each([
  ['programs are started in a few places only', 'src/lib/exec/a.ts', "import { spawn } from 'node:child_process';"],
  ['the environment is read at the edges only', 'src/cli/a.ts', 'const home = process.env.HOME;'],
  [
    'the environment is read at the edges only',
    'src/engine/a.ts',
    "const text = 'process.env.HOME'; other.process.env;",
  ],
  ['no file is too long to be read', 'src/engine/a.test.ts', 'a;\n'.repeat(401)],
  ['there are no barrels but the two public doors', 'src/plugin.ts', "export * from './a.ts';"],
])('the rule "%s" is silent in %s', (rule, path, text) => {
  expect(FILE_RULES[rule]?.(readSource(path, text))).toEqual([]);
});

test('finds the crash points that are passed', () => {
  const text = `import { between } from '../lib/crash-point.ts';
    await between(engine.crashPoint, 'decision', () => between(at(1, [2, 3]), 'trash', work));
    await crashPoint('checkpoint.before');
    await this.#crashPoint(\`checkpoint.after\`);
    await context.crashPoint(name);
    const one: CrashPoint = crashPoint;`;
  const names = crashPointsIn(readSource('src/engine/a.ts', text)).map(({ name }) => name);
  expect(names).toEqual(['decision', 'trash', 'checkpoint.before', 'checkpoint.after', '?']);
});

test('does not take another function named between for one', () => {
  expect(crashPointsIn(readSource('src/engine/a.ts', "between(1, 'decision', 3)"))).toEqual([]);
});

test('an effect with both its crash points is fine, whichever way they are passed', () => {
  const passed = ['a', 'b.before', 'b.after'].map((name) => ({ name, path: 'src/a.ts', line: 1 }));
  expect(judgeCrashPoints(['a', 'b'], passed)).toEqual([]);
});

test('an effect that lacks one, and a name that is none, are told', () => {
  const passed = ['a.before', 'c'].map((name) => ({ name, path: 'src/a.ts', line: 1 }));
  expect(judgeCrashPoints(['a'], passed)).toEqual([
    expect.stringContaining('a: no code passes'),
    expect.stringContaining('src/a.ts:1: c is no crash point'),
  ]);
});

test('reads the table of dependencies', () => {
  const markdown =
    '| Package | Imported in | Why |\n|---|---|---|\n| `@a/b` | `store`, `lib/git` | x |\n| `c` | nothing: a tool | `d` |\n';
  expect(readDependencies(markdown)).toEqual([
    { name: '@a/b', folders: ['store', 'lib/git'] },
    { name: 'c', folders: [] },
  ]);
  expect(['hono/streaming', '@a/b/c', 'pg'].map(packageOf)).toEqual(['hono', '@a/b', 'pg']);
});
