import { copiedWorkspaces } from '../../../ports/copied-workspaces.ts';
import type { ProviderCandidate, WorkspaceProvider } from '../../../ports/workspace.ts';

/** Plain copies: they work on every host, and cost a write per file. */
export const copyCandidate: ProviderCandidate = {
  kind: 'copy',
  probe: () => Promise.resolve(createCopyProvider()),
};

export function createCopyProvider(): WorkspaceProvider {
  return copiedWorkspaces({ kind: 'copy', clone: false, perFileMs: 0.3 });
}
