import type { WorkspaceProvider } from '../../../ports/workspace.ts';

/** Plain copies, written by git: works on every host. */
export function createCheckoutProvider(): WorkspaceProvider {
  throw new Error('being written');
}
