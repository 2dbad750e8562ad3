import { randomUUID } from 'node:crypto';
import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { lstat, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { SwitchyardError } from '../lib/error.ts';

// An agent's HOME is the agent's: whatever lies in it may be a link to somewhere else, or a pipe that nobody ever writes to. The harness
// reads and writes there only with these.

/** No home that is used as one has more files and folders where sessions are kept. */
const MOST_ENTRIES = 100_000;

/**
 * A file, at most so many folders below the one of a HOME that is named, whose name the condition holds for; undefined when there is none.
 * Links are not followed, neither below that folder nor on the way to it, and nothing but regular files is found.
 */
export function findFile(
  home: string,
  folder: string,
  { depth, matches }: { depth: number; matches: (name: string) => boolean },
): string | undefined {
  if (!wayTo(home, folder).every((path) => isFolder(path))) return undefined;
  let folders = [folder];
  let left = MOST_ENTRIES;
  for (let level = 0; level <= depth && left > 0; level++) {
    const deeper: string[] = [];
    for (const each of folders) {
      for (const entry of entriesOf(each)) {
        if (left-- <= 0) return undefined;
        if (entry.isFile() && matches(entry.name)) return join(each, entry.name);
        if (entry.isDirectory()) deeper.push(join(each, entry.name));
      }
    }
    folders = deeper;
  }
  return undefined;
}

/** The last bytes of a regular file, as text; undefined when there is none, also where a link, a pipe or a folder has its name. */
export function readEnd(file: string, bytes: number): string | undefined {
  return withRegularFile(file, (handle, size) => readText(handle, { from: Math.max(0, size - bytes), to: size }));
}

/** All of a regular file, as text; undefined as above, and when it is larger. */
export function readWhole(file: string, mostBytes: number): string | undefined {
  return withRegularFile(file, (handle, size) =>
    size > mostBytes ? undefined : readText(handle, { from: 0, to: size }),
  );
}

/**
 * Makes the folder, and those above it up to HOME, for nobody else to enter. Rejects with `agent/unsafe-home` where a link or a file is on
 * the way.
 */
export async function makeFolder(home: string, folder: string): Promise<void> {
  await mkdir(home, { recursive: true, mode: 0o700 });
  for (const path of wayTo(home, folder)) {
    await mkdir(path, { mode: 0o700 }).catch(unlessThere);
    if (!(await lstat(path)).isDirectory()) throw unsafe(path);
  }
}

/** Puts a new file, for nobody else to read, in the place of whatever has its name; where a link leads to stays as it is. Rejects as above. */
export async function putFile(home: string, file: string, content: string | Uint8Array): Promise<void> {
  await makeFolder(home, dirname(file));
  const made = join(dirname(file), `.${basename(file)}.${randomUUID()}`);
  try {
    await writeFile(made, content, { mode: 0o600, flag: 'wx' });
    await rename(made, file);
  } catch (error) {
    await rm(made, { force: true });
    throw error;
  }
}

/** A HOME, and the folders that lead from it to one within, which is the last. */
function wayTo(home: string, folder: string): string[] {
  const names = relative(home, folder).split(sep);
  return [home, ...names.map((_, n) => join(home, ...names.slice(0, n + 1)))];
}

function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return []; // not there, or not to be entered
  }
}

function withRegularFile<T>(file: string, read: (handle: number, size: number) => T): T | undefined {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  let handle: number;
  try {
    handle = openSync(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch {
    return undefined; // not there, or a link
  }
  try {
    const facts = fstatSync(handle);
    return facts.isFile() ? read(handle, facts.size) : undefined;
  } finally {
    closeSync(handle);
  }
}

function readText(handle: number, { from, to }: { from: number; to: number }): string {
  const buffer = Buffer.alloc(to - from);
  let length = 0;
  while (length < buffer.length) {
    const count = readSync(handle, buffer, length, buffer.length - length, from + length);
    if (count === 0) break; // it has become shorter
    length += count;
  }
  return buffer.toString('utf8', 0, length);
}

function unlessThere(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
}

function unsafe(path: string): SwitchyardError {
  return new SwitchyardError({
    code: 'agent/unsafe-home',
    message: `${path} in the agent's HOME is not a folder of its own, so nothing is written there`,
    hint: 'An agent has put a link or a file in its place: look where it leads, then remove it.',
  });
}
