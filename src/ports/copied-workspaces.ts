import { mkdir, rm, stat } from 'node:fs/promises';
import { copyTree, isDiskFull } from '../lib/copy-tree.ts';
import { cannotCreate, type WorkspaceProvider } from './workspace.ts';

/** A provider whose folders are copies of the layers, with contents of their own or (`clone`) shared until they are changed. */
export function copiedWorkspaces({
  kind,
  clone,
  perFileMs,
}: Pick<WorkspaceProvider, 'kind' | 'perFileMs'> & { readonly clone: boolean }): WorkspaceProvider {
  return {
    kind,
    perFileMs,
    sameFiles: false,
    async lay({ folder, layers, quiet = false, signal }) {
      try {
        signal.throwIfAborted();
        await mkdir(folder, { recursive: true });
        for (const layer of layers) await copyTree(layer, folder, { clone, quiet, signal });
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
