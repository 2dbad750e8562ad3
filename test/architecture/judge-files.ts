import { BARRELS, CHILD_PROCESS_PLACES, ENVIRONMENT_PLACES, MOST_LINES, type Place } from './import-table.ts';
import { isTest } from './project.ts';
import type { SourceFile } from './source-file.ts';
import type { Token } from './tokens.ts';

/** Rules about one file: each gives what stands against it, in words that say what to do. */
export type FileRule = (file: SourceFile) => string[];

export const FILE_RULES: Readonly<Record<string, FileRule>> = {
  'programs are started in a few places only': programsAreStartedInFewPlaces,
  'the environment is read at the edges only': environmentIsReadAtTheEdges,
  'there is no default export': noDefaultExport,
  'no file is too long to be read': noFileIsTooLong,
  'there are no barrels but the two public doors': noBarrels,
  'no module is mocked': noModuleIsMocked,
  'tests lie beside the code': testsLieBesideTheCode,
};

function programsAreStartedInFewPlaces({ path, imports }: SourceFile): string[] {
  if (isTest(path) || isIn(path, CHILD_PROCESS_PLACES)) return [];
  return imports
    .filter(({ specifier }) => specifier === 'node:child_process')
    .map(({ line }) => `${path}:${line} imports node:child_process. Start programs through lib/exec, or in a sandbox.`);
}

function environmentIsReadAtTheEdges({ path, tokens, imports }: SourceFile): string[] {
  if (isTest(path) || isIn(path, ENVIRONMENT_PLACES)) return [];
  const help = 'Take what is needed as an argument; cli and daemon read the environment.';
  const read = tokens
    .filter((_, at) => isEnvironment(tokens, at))
    .map(({ line }) => `${path}:${line} reads process.env. ${help}`);
  const imported = imports.filter(({ specifier }) => specifier === 'node:process');
  return [...read, ...imported.map(({ line }) => `${path}:${line} imports node:process. ${help}`)];
}

function isEnvironment(tokens: readonly Token[], at: number): boolean {
  const [name, dot, env] = tokens.slice(at, at + 3).map((token) => token.text);
  return name === 'process' && env === 'env' && (dot === '.' || dot === '[') && tokens[at - 1]?.text !== '.';
}

function noDefaultExport({ path, tokens }: SourceFile): string[] {
  const isDefault = (at: number) => {
    const [word, next] = tokens.slice(at, at + 2).map((token) => token.text);
    return (word === 'export' && (next === 'default' || next === '=')) || (word === 'as' && next === 'default');
  };
  const found = tokens.filter((token, at) => token.kind === 'word' && tokens[at - 1]?.text !== '.' && isDefault(at));
  return found.map(({ line }) => `${path}:${line} has a default export. Export it by its name.`);
}

function noFileIsTooLong({ path, lines }: SourceFile): string[] {
  const most = isTest(path) ? MOST_LINES.test : MOST_LINES.source;
  return lines > most ? [`${path} has ${lines} lines; the most is ${most}. Split it by subject, not into parts.`] : [];
}

function noBarrels({ path, isBarrel }: SourceFile): string[] {
  if (!isBarrel || BARRELS.includes(path)) return [];
  return [`${path} only passes on what others export. Import from where it is defined.`];
}

function noModuleIsMocked({ path, tokens }: SourceFile): string[] {
  const mocking = /^(mock|doMock|unmock|doUnmock|hoisted|importMock)$/;
  const isMocked = (at: number) =>
    tokens[at]?.text === 'vi' && tokens[at + 1]?.text === '.' && mocking.test(tokens[at + 2]?.text ?? '');
  return tokens
    .filter((token, at) => token.kind === 'word' && isMocked(at))
    .map(({ line }) => `${path}:${line} mocks a module. Hand in a fake of the port instead; src/testing has some.`);
}

function testsLieBesideTheCode({ path }: SourceFile): string[] {
  if (/\.spec\.[cm]?tsx?$/.test(path)) return [`${path}: tests are named x.test.ts.`];
  const apart = path.startsWith('src/') && /\/(__tests__|tests?|spec)\//.test(path);
  if (apart) return [`${path}: a test lies beside the code that it tests; what spans folders lies in test/.`];
  return [];
}

/** Whether a path is one of the places. */
export function isIn(path: string, places: readonly Place[]): boolean {
  return places.some((place) => path === place.path || (!place.path.endsWith('.ts') && path.startsWith(place.path)));
}
