import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type GitStore, runRef } from './git-store.ts';

/**
 * Where a run's head ref in the store was left. Most new runs have none, and for those no git is started: a ref that lies neither in a file of
 * its own nor among the packed ones is not there. Git itself reads those that are.
 */
export async function leftHead(store: GitStore, run: string): Promise<string | undefined> {
  const ref = runRef(run, 'head');
  // In this order: packing refs writes the second before it removes the first.
  if ((await stat(join(store.path, ref)).catch(() => undefined)) === undefined) {
    const packed = await readFile(join(store.path, 'packed-refs'), 'latin1').catch(whenMissing);
    if (!packed.includes(` ${ref}\n`)) return undefined;
  }
  return store.resolve(ref);
}

function whenMissing(error: unknown): string {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
  throw error;
}
