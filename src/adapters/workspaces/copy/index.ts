import { mkdir, rm, stat } from 'node:fs/promises';
import { copyTree, isDiskFull } from '../../../lib/copy-tree.ts';
import { cannotCreate, type ProviderCandidate, type WorkspaceProvider } from '../../../ports/workspace.ts';

/** Plain copies: they work on every host, and cost a write per file. */
export const copyCandidate: ProviderCandidate = {
  kind: 'copy',
  probe: () => Promise.resolve(createCopyProvider()),
};

export function createCopyProvider(): WorkspaceProvider {
  return {
    kind: 'copy',
    perFileMs: 0.3,
    sameFiles: false,
    async lay({ folder, layers, quiet = false, signal }) {
      try {
        signal.throwIfAborted();
        await mkdir(folder, { recursive: true });
        for (const layer of layers) await copyTree(layer, folder, { clone: false, quiet, signal });
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
