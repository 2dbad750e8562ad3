import { readdir, readlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Where the provider of a workspace keeps what it lays over, seen from the workspace's folder: one folder for each thing laid. */
export const LAYERS = 'layers';

/**
 * The bases that workspaces lie over, each with the names of those workspaces. The link that a provider makes to a layer before it lays
 * anything is what says so; it goes with the workspace. A copy needs nobody.
 */
export async function leasedBases(workspaces: string): Promise<Map<string, string[]>> {
  const leases = new Map<string, string[]>();
  for (const workspace of await entriesOf(workspaces)) {
    const layers = join(workspaces, workspace, LAYERS);
    for (const laid of await entriesOf(layers)) {
      for (const link of await entriesOf(join(layers, laid))) {
        const target = await readlink(join(layers, laid, link)).catch(() => undefined);
        if (target === undefined) continue;
        const base = dirname(target);
        const holders = leases.get(base) ?? [];
        if (!holders.includes(workspace)) leases.set(base, [...holders, workspace]);
      }
    }
  }
  return leases;
}

function entriesOf(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
