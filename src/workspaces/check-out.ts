import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { runProgram } from '../lib/exec/run-program.ts';
import { gitEnvironment } from '../lib/git/environment.ts';
import { git, gitError } from '../lib/git/git.ts';
import { cannotCreate } from '../ports/workspace.ts';

export interface CheckOut {
  /** One of ours: it knows no filters and no hooks, so nothing but files comes of what a commit says. */
  readonly gitDir: string;
  readonly folder: string;
  readonly commit: string;
  readonly signal: AbortSignal;
  /** What to start git with, so that it makes room for others. */
  readonly prefix?: readonly string[];
}

/** Writes the files of a commit into a folder that is there, and the index of them. Rejects with `workspace/cannot-create`. */
export async function checkOut({ gitDir, folder, commit, signal, prefix = [] }: CheckOut): Promise<void> {
  const args = ['read-tree', '--reset', '-u', commit];
  try {
    const [file = 'git', ...rest] = [...prefix, 'git', ...args];
    const env = gitEnvironment({ gitDir, workTree: folder });
    const result = await runProgram({ file, args: rest, cwd: folder, env, input: undefined, signal });
    if (result.code !== 0) throw gitError(args, result);
  } catch (error) {
    signal.throwIfAborted();
    throw cannotCreate(folder, { full: await isFull(folder, error), cause: error });
  }
}

/**
 * Makes a folder that holds the files of one commit, as its index says, those of another. Whatever lies in the way of a file goes. `exact` says
 * that all files are as the index knows them, so that only what differs between the two is looked at.
 */
export async function catchUp({
  gitDir,
  folder,
  from,
  to,
  signal,
}: {
  gitDir: string;
  folder: string;
  from: string;
  to: string;
  signal: AbortSignal;
}): Promise<void> {
  const options = { gitDir, workTree: folder, cwd: folder, signal };
  try {
    await git(['read-tree', '-m', '-u', from, to], options);
  } catch (error) {
    signal.throwIfAborted();
    if (isDiskFullCode(error)) throw cannotCreate(folder, { full: true, cause: error });
    await checkOut({ gitDir, folder, commit: to, signal });
  }
}

/** Git does not always say why a file could not be written; then what is left of the disk tells. */
async function isFull(folder: string, error: unknown): Promise<boolean> {
  if (isDiskFullCode(error)) return true;
  const disk = await statfs(dirname(folder)).catch(() => undefined);
  return disk !== undefined && (disk.bavail * disk.bsize < NEARLY_FULL || (disk.files > 0 && disk.ffree === 0));
}

const NEARLY_FULL = 16 * 1024 * 1024;

function isDiskFullCode(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'git/disk-full' || code === 'ENOSPC';
}
