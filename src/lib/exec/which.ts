import { constants, lstatSync } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join, resolve } from 'node:path';

/** The path of an executable of that name, or undefined. */
export type Which = (name: string) => Promise<string | undefined>;

/** Looks names up in a PATH, as a shell would: the first executable file wins. A name with a slash is taken relative to `cwd`. */
export function whichOn(path: string | undefined, cwd = '/'): Which {
  return async (name) => {
    if (name.includes('/')) return firstExecutable([resolve(cwd, name)]);
    const folders = (path ?? '').split(delimiter).filter((folder) => isAbsolute(folder));
    return firstExecutable(folders.map((folder) => join(folder, name)));
  };
}

async function firstExecutable(candidates: readonly string[]): Promise<string | undefined> {
  for (const candidate of candidates) {
    if (await isExecutable(candidate)) return candidate;
  }
  return undefined;
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    // Most folders of a PATH have nothing of the name: a look is a few microseconds, where a thread and its error would take a hundred.
    if (lstatSync(file, { throwIfNoEntry: false }) === undefined) return false;
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false; // not there, or not for us: the next folder may have it
  }
}
