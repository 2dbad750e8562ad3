import { constants, copyFile, mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { copyTree, isDiskFull } from '../../../lib/copy-tree.ts';
import { messageOf } from '../../../lib/error.ts';
import { makeScratchFolder } from '../../../lib/scratch-folder.ts';
import { cannotCreate, type ProviderCandidate, type WorkspaceProvider } from '../../../ports/workspace.ts';

/** Copies that share their contents with the layers until they are changed: btrfs, XFS, APFS. Costs a little for each file, not for its size. */
export const reflinkCandidate: ProviderCandidate = {
  kind: 'reflink',
  async probe({ layers, folder }) {
    const missing = await tryClone(layers, folder);
    return missing === undefined ? createReflinkProvider() : { missing };
  },
};

export function createReflinkProvider(): WorkspaceProvider {
  return {
    kind: 'reflink',
    perFileMs: 0.04,
    sameFiles: false,
    async lay({ folder, layers, quiet = false, signal }) {
      try {
        signal.throwIfAborted();
        await mkdir(folder, { recursive: true });
        for (const layer of layers) await copyTree(layer, folder, { clone: true, quiet, signal });
      } catch (error) {
        await rm(folder, { recursive: true, force: true, maxRetries: 5 });
        signal.throwIfAborted();
        throw cannotCreate(folder, { full: isDiskFull(error), cause: error });
      }
    },
    resume: async ({ folder }) => (await stat(folder).catch(() => undefined))?.isDirectory() ?? false,
    release: () => Promise.resolve([]),
  };
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
