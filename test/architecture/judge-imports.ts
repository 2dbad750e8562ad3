import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import { type Dependency, packageOf, TESTS } from './dependencies.ts';
import { FREE, GRANTS, IMPORT_TABLE, type Row, TESTS_MAY, UNNAMED_IMPORT_PLACES } from './import-table.ts';
import { isIn } from './judge-files.ts';
import { isTest, isTestBesideCode } from './project.ts';
import type { Import, SourceFile } from './source-file.ts';

export interface Violation {
  readonly path: string;
  readonly message: string;
}

/** What stands against the imports of one file. Each message says what to do. */
export function judgeImports(
  file: SourceFile,
  known: ReadonlySet<string>,
  dependencies: readonly Dependency[],
): Violation[] {
  if (rowOf(file.path) === undefined && file.path.startsWith('src/')) {
    const message = `${file.path}: no row of the import table speaks of it. Move it into a folder that has one, or add a row to test/architecture/import-table.ts and ARCHITECTURE.md.`;
    return [{ path: file.path, message }];
  }
  return file.imports.flatMap((one) => {
    const wrong = judge(file.path, one, { known, dependencies });
    return wrong === undefined ? [] : [{ path: file.path, message: `${file.path}:${one.line}: ${wrong}` }];
  });
}

interface Surroundings {
  readonly known: ReadonlySet<string>;
  readonly dependencies: readonly Dependency[];
}

function judge(path: string, { specifier }: Import, round: Surroundings): string | undefined {
  if (specifier === undefined) {
    return isIn(path, UNNAMED_IMPORT_PLACES)
      ? undefined
      : 'imports a module that it does not name. Name it with a plain string, or add the file with its reason to UNNAMED_IMPORT_PLACES.';
  }
  if (specifier.startsWith('.')) return judgeInner(path, posix.join(posix.dirname(path), specifier), round);
  if (isBuiltin(specifier))
    return specifier.startsWith('node:') ? undefined : `imports ${specifier}. Write node:${specifier}.`;
  return judgePackage(path, packageOf(specifier), round);
}

function judgeInner(path: string, target: string, { known }: Surroundings): string | undefined {
  if (!known.has(target))
    return `imports ${target}, which is no file of src/ or test/. Imports name a file and end in .ts.`;
  if (path.startsWith('test/')) return undefined;
  if (target.startsWith('test/'))
    return `imports ${target}. What src/ needs lies in src/; fakes and helpers of tests in src/testing/.`;
  if (isTestBesideCode(target) && !isTest(path))
    return `imports ${target}, which is for tests only. Move what the code needs out of it.`;
  const row = rowOf(path);
  if (row === undefined || unitOf(path) === unitOf(target)) return undefined;
  const may = allowed(path, row);
  if (may.some((folder) => isWithin(folder, target))) return undefined;
  const said = `imports ${target.slice('src/'.length)}, but ${unitOf(path)} may import ${may.join(', ')} only.`;
  return `${said} ${remedyFor(path, unitOf(target))}`;
}

function remedyFor(path: string, to: string): string {
  if (path.startsWith('src/testing/')) {
    return `src/testing/ is public and knows the ports. What the tests of one folder share lies in that folder, as fixture.ts or fixture/.`;
  }
  const move =
    'Move what both need down into a folder that both may import, or let daemon hand it in as a value (a port).';
  return isTestBesideCode(path) ? `A test that needs ${to} spans folders: it belongs into test/.` : move;
}

function judgePackage(path: string, name: string, { dependencies }: Surroundings): string | undefined {
  if (name === 'switchyard') return 'imports the package itself. Import the file.';
  const found = dependencies.find((dependency) => dependency.name === name);
  const where = path.slice('src/'.length);
  const allowedHere = found?.folders.some((folder) => (folder === TESTS ? isTest(path) : isWithin(folder, path)));
  if (allowedHere === true) return undefined;
  const said = found === undefined ? 'does not name it' : `allows it in ${found.folders.join(', ') || 'no folder'}`;
  return `imports the package ${name}, and docs/decisions/dependencies.md ${said}. Use it through a folder that has it, or write there why ${path.startsWith('src/') ? where.split('/', 1)[0] : 'a test'} needs it too.`;
}

/** All that a file may import, besides its own unit. */
function allowed(path: string, row: Row): string[] {
  const grant = GRANTS.find(({ file }) => `src/${file}` === path);
  const free = row.folder === 'lib' ? [] : FREE;
  return [...free, ...row.may, ...(grant?.may ?? []), ...(isTestBesideCode(path) ? TESTS_MAY : [])];
}

/** The row that speaks of a file: the longest that fits. */
export function rowOf(path: string): Row | undefined {
  return IMPORT_TABLE.filter((row) => patternOf(row).test(path)).sort((a, b) => b.folder.length - a.folder.length)[0];
}

/** The folder that a file belongs to, within which everything may import everything. */
export function unitOf(path: string): string {
  const row = rowOf(path);
  const found = row === undefined ? undefined : patternOf(row).exec(path);
  return found?.[1] ?? path.split('/').slice(0, 2).join('/');
}

function patternOf({ folder }: Row): RegExp {
  if (folder.endsWith('.ts')) return new RegExp(`^src/(${folder.slice(0, -'.ts'.length)})(\\.test)?\\.ts$`);
  return new RegExp(`^src/(${folder.replaceAll('*', '[^/]+')})/`);
}

function isWithin(folder: string, path: string): boolean {
  return path === `src/${folder}` || path.startsWith(`src/${folder}/`);
}
