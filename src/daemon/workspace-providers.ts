import { copyCandidate } from '../adapters/workspaces/copy/index.ts';
import { overlayCandidate } from '../adapters/workspaces/overlay/index.ts';
import { reflinkCandidate } from '../adapters/workspaces/reflink/index.ts';
import type { MachineConfig } from '../config/machine.ts';
import type { Home } from '../lib/home.ts';
import type { WorkspaceProvider } from '../ports/workspace.ts';
import { chooseProvider, examineProviders, type TriedProvider } from '../workspaces/choose-provider.ts';

/** Quickest first. */
const CANDIDATES = [overlayCandidate, reflinkCandidate, copyCandidate];

/** The one that works in this home, or that its owner wants. Rejects with `workspace/no-provider`. */
export async function workspaceProvider(
  home: Pick<Home, 'bases' | 'workspaces'>,
  { workspaces }: Pick<MachineConfig, 'workspaces'>,
): Promise<WorkspaceProvider> {
  const places = { layers: home.bases, folder: home.workspaces };
  return (await chooseProvider({ ...places, candidates: CANDIDATES, wanted: workspaces.provider })).provider;
}

/** What each of them says of this home, for `doctor`. */
export async function examineWorkspaceProviders(
  home: Pick<Home, 'bases' | 'workspaces'>,
): Promise<readonly TriedProvider[]> {
  return examineProviders({ candidates: CANDIDATES, layers: home.bases, folder: home.workspaces });
}
