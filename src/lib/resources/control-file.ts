import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

// The files of control groups. They lie in the kernel and never wait for a disk, so they are read and written synchronously.

/** What the file says, without the line's end; undefined where there is none, or it is not ours to read. */
export function readControl(folder: string, name: string): string | undefined {
  try {
    return readFileSync(join(folder, name), 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** The words of a file that lists them, such as `cgroup.controllers`; none where there is no such file. */
export function readWords(folder: string, name: string): string[] {
  return (readControl(folder, name) ?? '').split(/\s+/).filter((word) => word !== '');
}

/** A number out of a file that holds one, or lines of a key and a number each; undefined where it is not there. */
export function readNumber(folder: string, name: string, key?: string): number | undefined {
  const text = readControl(folder, name);
  if (text === undefined) return undefined;
  const word =
    key === undefined
      ? text
      : text
          .split('\n')
          .find((line) => line.startsWith(`${key} `))
          ?.slice(key.length);
  const number = Number(word);
  return word === undefined || word === '' || Number.isNaN(number) ? undefined : number;
}

/** Writes what the kernel takes at once or not at all; throws its error. Makes no file. */
export function writeControl(folder: string, name: string, text: string): void {
  const file = openSync(join(folder, name), constants.O_WRONLY);
  try {
    writeSync(file, text);
  } finally {
    closeSync(file);
  }
}

/** The same where a refusal is an answer. */
export function tryWriteControl(folder: string, name: string, text: string): boolean {
  try {
    writeControl(folder, name, text);
    return true;
  } catch {
    return false;
  }
}

/** The system's name for why something failed, such as `EBUSY`. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
