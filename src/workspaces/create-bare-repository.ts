import { mkdtemp, rename, rm } from 'node:fs/promises';
import { git } from '../lib/git/git.ts';

/**
 * Makes a bare repository at the path, or finds that another process has made it meanwhile. It appears whole or not at all; a
 * death in the middle leaves a folder beside it that nothing uses.
 */
export async function createBareRepository(path: string, objectFormat: string): Promise<void> {
  const draft = await mkdtemp(`${path}.draft-`);
  try {
    await git(['init', '--quiet', '--bare', '--template=', `--object-format=${objectFormat}`, draft]);
    for (const [key, value] of SETTINGS) await git(['config', key, value], { gitDir: draft });
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (!isTaken(error)) throw error;
  }
}

/** Also for people and programs that use the repository without our environment. What a ref names is on the disk before the ref. */
const SETTINGS = [
  ['core.fsync', 'objects,derived-metadata,reference'],
  ['core.fsyncMethod', 'batch'],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  ['core.hooksPath', '/dev/null'],
] as const;

function isTaken(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOTEMPTY' || code === 'EEXIST';
}
