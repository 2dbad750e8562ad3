import { mkdir, rename, rm, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf, SwitchyardError } from '../../../lib/error.ts';
import { git } from '../../../lib/git/git.ts';
import type { WorkspaceProvider } from '../../../ports/workspace.ts';

/** Plain copies, written by git from the mirror's objects: works on every host, and costs a write per file. */
export function createCheckoutProvider(): WorkspaceProvider {
  return {
    kind: 'checkout',
    async create({ gitDir, folder, commit, signal }) {
      try {
        await mkdir(folder, { recursive: true });
        // Our own git directory knows no filters and no hooks, so nothing but files comes of what a commit says.
        await git(['read-tree', '--reset', '-u', commit], { gitDir, workTree: folder, cwd: folder, signal });
      } catch (error) {
        const full = await isDiskFull(folder, error);
        await removeFolder(folder);
        signal.throwIfAborted();
        throw cannotCreate(folder, { full, cause: error });
      }
    },
    remove: removeFolder,
  };
}

/** Out of the way first: whatever still writes there must not find itself in a later workspace of the same name. */
async function removeFolder(folder: string): Promise<void> {
  const doomed = `${folder}.removed`;
  await rm(doomed, { recursive: true, force: true, maxRetries: 5 });
  try {
    await rename(folder, doomed);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  await rm(doomed, { recursive: true, force: true, maxRetries: 5 });
}

/** Git does not always say why a file could not be written; then what is left of the disk tells. */
async function isDiskFull(folder: string, error: unknown): Promise<boolean> {
  if (codeOf(error) === 'git/disk-full' || codeOf(error) === 'ENOSPC') return true;
  const disk = await statfs(dirname(folder)).catch(() => undefined);
  return disk !== undefined && (disk.bavail * disk.bsize < NEARLY_FULL || (disk.files > 0 && disk.ffree === 0));
}

const NEARLY_FULL = 16 * 1024 * 1024;

function cannotCreate(folder: string, { full, cause }: { full: boolean; cause: unknown }): SwitchyardError {
  return new SwitchyardError({
    code: 'workspace/cannot-create',
    message: `the workspace ${folder} could not be made: ${messageOf(cause)}`,
    hint: full
      ? 'The disk is full: free some space (the workspaces of ended runs go with: switchyard discard RUN), then retry.'
      : 'See that the folder can be written to and that its disk has space, then retry.',
    retry: full ? 'backoff' : 'never',
    cause,
  });
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
