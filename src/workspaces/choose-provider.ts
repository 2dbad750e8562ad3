import { mkdir } from 'node:fs/promises';
import { SwitchyardError } from '../lib/error.ts';
import type { ProviderCandidate, WorkspaceProvider } from '../ports/workspace.ts';

export interface TriedProvider {
  readonly kind: string;
  readonly works: boolean;
  /** Why not, as half a sentence for a person; undefined for one that works. */
  readonly reason?: string;
}

export interface ChosenProvider {
  readonly provider: WorkspaceProvider;
  /** What was tried, in order, up to the one that was chosen. */
  readonly tried: readonly TriedProvider[];
}

export interface ProviderWish {
  /** Quickest first. */
  readonly candidates: readonly ProviderCandidate[];
  /** Where bases and workspaces will lie; made where they are missing. */
  readonly layers: string;
  readonly folder: string;
  /** The kind that the machine's owner wants. Without it, the first that works is taken. */
  readonly wanted?: string | undefined;
}

/**
 * The provider for workspaces in a folder, each candidate believed only after it was tried there. Rejects with `workspace/no-provider` when the
 * wanted one does not work, or none does.
 */
export async function chooseProvider(wish: ProviderWish): Promise<ChosenProvider> {
  const { tried, provider } = await tryProviders(wish, ({ provider }) => provider !== undefined);
  if (provider !== undefined) return { provider, tried };
  const why = tried.map(({ kind, reason }) => `${kind}: ${reason}`).join('; ');
  throw new SwitchyardError({
    code: 'workspace/no-provider',
    message: `Workspaces cannot be made here: ${why || `there is no provider ${wish.wanted}`}.`,
    hint: 'Leave `workspaces: provider` out of config.yaml for the quickest that works here, or name another.',
  });
}

/** All candidates, each tried: what `doctor` shows. */
export async function examineProviders(wish: Omit<ProviderWish, 'wanted'>): Promise<readonly TriedProvider[]> {
  return (await tryProviders(wish, () => false)).tried;
}

async function tryProviders(
  { candidates, layers, folder, wanted }: ProviderWish,
  isEnough: (so: { provider: WorkspaceProvider | undefined }) => boolean,
): Promise<{ tried: TriedProvider[]; provider: WorkspaceProvider | undefined }> {
  for (const place of [layers, folder]) await mkdir(place, { recursive: true });
  const tried: TriedProvider[] = [];
  let provider: WorkspaceProvider | undefined;
  for (const candidate of candidates) {
    if (wanted !== undefined && candidate.kind !== wanted) continue;
    const probed = await candidate.probe({ layers, folder });
    const missing = 'missing' in probed ? probed.missing : undefined;
    tried.push({
      kind: candidate.kind,
      works: missing === undefined,
      ...(missing === undefined ? {} : { reason: missing }),
    });
    if (!('missing' in probed)) provider ??= probed;
    if (isEnough({ provider })) break;
  }
  return { tried, provider };
}
