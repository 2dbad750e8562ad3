import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSource, type SourceFile } from './source-file.ts';

export const ROOT = join(import.meta.dirname, '..', '..');

/** All TypeScript files of `src/` and `test/`. */
export function readProject(): SourceFile[] {
  return ['src', 'test'].flatMap((folder) => filesBelow(folder)).map((path) => read(path));
}

function filesBelow(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.[cm]?tsx?$/.test(entry.name))
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(ROOT.length + 1)
        .replaceAll('\\', '/'),
    )
    .sort();
}

function read(path: string): SourceFile {
  try {
    return readSource(path, readProjectFile(path));
  } catch (error) {
    throw new Error(`${path} cannot be read: the scanner in test/architecture/tokens.ts has to learn this`, {
      cause: error,
    });
  }
}

export function readProjectFile(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** Tests, and what only tests use. */
export function isTest(path: string): boolean {
  return isTestBesideCode(path) || path.startsWith('test/') || path.startsWith('src/testing/');
}

/** `x.test.ts`, and what several tests of a folder share: `fixture.ts`, `x-fixture.ts`, `fixture/x.ts`. */
export function isTestBesideCode(path: string): boolean {
  return (
    path.startsWith('src/') && !path.startsWith('src/testing/') && /\.test\.ts$|[/-]fixture\.ts$|\/fixture\//.test(path)
  );
}

/** The folders directly below one. */
export function foldersIn(folder: string): string[] {
  try {
    return readdirSync(join(ROOT, folder), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => `${folder}/${entry.name}`)
      .sort();
  } catch {
    return []; // it does not exist, so nothing is in it
  }
}
