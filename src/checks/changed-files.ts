import { lstat } from 'node:fs/promises';
import { isAbsolute, join, normalize } from 'node:path';
import { shellQuote } from './shell.ts';

/** A command line with its arguments, as it runs and as a person would type it. */
export interface PlannedCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly shown: string;
  readonly notes: readonly string[];
}

/** Kept well below what systems allow for the arguments of a program. */
const MAX_ARGUMENTS = 96 * 1024;
const PLACEHOLDER = /(["']?)\{files\}\1/g;

export function whole(command: string, notes: readonly string[] = []): PlannedCommand {
  return { command, args: [], shown: command, notes };
}

/**
 * The command for those of the files that still exist, or `nothing` when none does. Names reach the command as arguments, never
 * as text of the shell. Where they would be too many, the whole check is meant instead, and the notes say so.
 */
export async function withChangedFiles(request: {
  readonly template: string;
  readonly otherwise: string;
  readonly files: readonly string[];
  readonly folder: string;
}): Promise<PlannedCommand | 'nothing'> {
  const args: string[] = [];
  for (const file of new Set(request.files)) {
    if (await isFileWithin(request.folder, file)) args.push(file.startsWith('-') ? `./${file}` : file);
  }
  if (args.length === 0) return 'nothing';
  if (args.reduce((sum, arg) => sum + Buffer.byteLength(arg) + 1, 0) > MAX_ARGUMENTS) {
    return whole(request.otherwise, [`The change has ${args.length} files, too many to name: everything was checked.`]);
  }
  return {
    command: request.template.replace(PLACEHOLDER, () => '"$@"'),
    args,
    shown: request.template.replace(PLACEHOLDER, () => shellQuote(args)),
    notes: [],
  };
}

/** Regular files only: a link may lead anywhere, and a folder is no changed file. */
async function isFileWithin(folder: string, file: string): Promise<boolean> {
  if (isAbsolute(file) || normalize(file).startsWith('..')) return false;
  const found = await lstat(join(folder, file)).catch(() => undefined);
  return found?.isFile() === true;
}
