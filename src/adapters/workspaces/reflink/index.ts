import { constants, copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../../lib/error.ts';
import { makeScratchFolder } from '../../../lib/scratch-folder.ts';
import { copiedWorkspaces } from '../../../ports/copied-workspaces.ts';
import type { ProviderCandidate, WorkspaceProvider } from '../../../ports/workspace.ts';

/** Copies that share their contents with the layers until they are changed: btrfs, XFS, APFS. Costs a little for each file, not for its size. */
export const reflinkCandidate: ProviderCandidate = {
  kind: 'reflink',
  async probe({ layers, folder }) {
    const missing = await tryClone(layers, folder);
    return missing === undefined ? createReflinkProvider() : { missing };
  },
};

export function createReflinkProvider(): WorkspaceProvider {
  return copiedWorkspaces({ kind: 'reflink', clone: true, perFileMs: 0.14 });
}

async function tryClone(layers: string, folder: string): Promise<string | undefined> {
  await using below = await makeScratchFolder(join(layers, '.probe-'));
  await using above = await makeScratchFolder(join(folder, '.probe-'));
  const [from, to] = [join(below.path, 'file'), join(above.path, 'file')];
  await writeFile(from, 'x'.repeat(100_000));
  try {
    await copyFile(from, to, constants.COPYFILE_FICLONE_FORCE);
    return undefined;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : messageOf(error);
    return `files of this file system cannot share their contents (${code})`;
  }
}
