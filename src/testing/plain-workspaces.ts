import { createCheckoutProvider } from '../adapters/workspaces/checkout/index.ts';
import type { WorkspaceProvider } from '../ports/workspace.ts';

/** The provider that works everywhere, for tests of what stands on one. */
export function plainWorkspaces(): WorkspaceProvider {
  return createCheckoutProvider();
}
