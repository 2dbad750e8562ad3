import { copyCandidate, createCopyProvider } from '../adapters/workspaces/copy/index.ts';
import { overlayCandidate } from '../adapters/workspaces/overlay/index.ts';
import { reflinkCandidate } from '../adapters/workspaces/reflink/index.ts';
import type { ProviderCandidate, WorkspaceProvider } from '../ports/workspace.ts';

/** The provider that works everywhere, for tests of what stands on one. */
export function plainWorkspaces(): WorkspaceProvider {
  return createCopyProvider();
}

/** All ways of making workspaces, quickest first. */
export const workspaceCandidates: readonly ProviderCandidate[] = [overlayCandidate, reflinkCandidate, copyCandidate];
