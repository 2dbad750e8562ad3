import { mkdir, rename, rm } from 'node:fs/promises';
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
        await removeFolder(folder);
        signal.throwIfAborted();
        throw cannotCreate(folder, error);
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

function cannotCreate(folder: string, cause: unknown): SwitchyardError {
  const full = codeOf(cause) === 'git/disk-full' || codeOf(cause) === 'ENOSPC';
  return new SwitchyardError({
    code: 'workspace/cannot-create',
    message: `the workspace ${folder} could not be made: ${messageOf(cause)}`,
    hint: full
      ? 'The disk is full: free some space (switchyard discard removes workspaces of ended runs), then retry.'
      : 'See that the folder can be written to, then retry.',
    retry: full ? 'backoff' : 'never',
    cause,
  });
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
