import { describe, expect, test } from 'vitest';
import { EFFECTS } from '../src/lib/crash-point.ts';
import { crashPointsIn, judgeCrashPoints } from './architecture/crash-points.ts';
import { packageOf, readDependencies, TESTS } from './architecture/dependencies.ts';
import { FLOOR, IMPORT_TABLE } from './architecture/import-table.ts';
import { FILE_RULES } from './architecture/judge-files.ts';
import { judgeImports, rowOf, type Violation } from './architecture/judge-imports.ts';
import { foldersIn, isTest, readProject, readProjectFile } from './architecture/project.ts';
import { tableLines } from './architecture/table.ts';

/**
 * The shape of the project, checked: who may import whom, where programs are started, what has a crash point. The data is in
 * architecture/import-table.ts. `SHOW_TABLE=1 npm run check:architecture` prints the table with what was found.
 */

const files = readProject();
const known = new Set(files.map(({ path }) => path));
const dependencies = readDependencies(readProjectFile('docs/decisions/dependencies.md'));
const violations: readonly Violation[] = files.flatMap((file) => judgeImports(file, known, dependencies));

const seen = IMPORT_TABLE.map((row) => {
  const own = files.filter(({ path }) => rowOf(path) === row);
  const against = violations.filter(({ path }) => rowOf(path) === row);
  return { row, files: own.length, against };
});

if (process.env['SHOW_TABLE'] === '1') console.log(tableLines(seen).join('\n'));

test('sees the whole project', () => {
  const sources = files.filter(({ path }) => !isTest(path));
  expect(sources.length).toBeGreaterThanOrEqual(FLOOR.sources);
  expect(files.length - sources.length).toBeGreaterThanOrEqual(FLOOR.tests);
  expect(files.flatMap(({ imports }) => imports).length).toBeGreaterThanOrEqual(FLOOR.imports);
});

describe('a folder imports only what the table allows it', () => {
  for (const { row, files: count, against } of seen) {
    test(`${row.folder} may import ${row.text} (${count} files, ${against.length} against it)`, () => {
      expect(against.map(({ message }) => message)).toEqual([]);
    });
  }

  test('every file has a row, and test/ keeps the rules too', () => {
    const others = violations.filter(({ path }) => rowOf(path) === undefined);
    expect(others.map(({ message }) => message)).toEqual([]);
  });

  test('ARCHITECTURE.md shows the same table', () => {
    const text = readProjectFile('ARCHITECTURE.md');
    const missing = IMPORT_TABLE.filter(
      (row) => !text.split('\n').some((line) => speaksOf(line, row.folder) && line.endsWith(`| ${row.text} |`)),
    );
    expect(
      missing.map((row) => `ARCHITECTURE.md lacks a line for \`${row.folder}\` that ends in "| ${row.text} |"`),
    ).toEqual([]);
  });
});

describe('in every file', () => {
  test.each(Object.entries(FILE_RULES))('%s', (_, rule) => {
    expect(files.flatMap((file) => rule(file))).toEqual([]);
  });
});

test('every adapter has an index.ts', () => {
  const adapters = foldersIn('src/adapters').flatMap((port) => foldersIn(port));
  const without = adapters.filter((adapter) => !known.has(`${adapter}/index.ts`));
  expect(without.map((adapter) => `${adapter} has no index.ts. It exports what daemon names of the adapter.`)).toEqual(
    [],
  );
});

test('every effect on the outside world has its crash points, and every crash point an effect', () => {
  const passed = files.filter(({ path }) => !isTest(path)).flatMap((file) => crashPointsIn(file));
  expect(judgeCrashPoints(EFFECTS, passed)).toEqual([]);
});

describe('docs/decisions/dependencies.md', () => {
  const installed = Object.keys(installedPackages());

  test('names every package of package.json, and no other', () => {
    expect(dependencies.map(({ name }) => name).sort()).toEqual(installed.sort());
  });

  test('allows a package only where it is used', () => {
    const idle = dependencies.flatMap(({ name, folders }) =>
      folders
        .filter((folder) => !isUsedIn(folder, name))
        .map((folder) => `nothing in ${folder} imports ${name}: take ${folder} out of its line`),
    );
    expect(idle).toEqual([]);
  });
});

function speaksOf(line: string, folder: string): boolean {
  return line.startsWith('|') && (line.split('|', 2)[1] ?? '').includes(`\`${folder}\``);
}

function installedPackages(): Record<string, string> {
  const manifest = JSON.parse(readProjectFile('package.json')) as Record<
    'dependencies' | 'devDependencies',
    Record<string, string>
  >;
  return { ...manifest.dependencies, ...manifest.devDependencies };
}

function isUsedIn(folder: string, name: string): boolean {
  const inside = files.filter(({ path }) =>
    folder === TESTS ? isTest(path) : path.startsWith(`src/${folder}/`) || path === `src/${folder}`,
  );
  return inside.some(({ imports }) =>
    imports.some(({ specifier }) => specifier !== undefined && packageOf(specifier) === name),
  );
}
