import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { MachineConfig } from '../../config/machine.ts';
import { formatBytes } from '../../domain/units.ts';
import { counted } from '../../lib/counted.ts';
import type { Home } from '../../lib/home.ts';
import { listBases } from '../../workspaces/bases/records.ts';
import { examineWorkspaceProviders } from '../workspace-providers.ts';
import type { DoctorRow } from './report.ts';

/** How workspaces are made here, why not otherwise, and what they are laid over. Where there is no home yet, nothing can be tried. */
export async function workspaceRows(home: Home, config: MachineConfig | undefined): Promise<DoctorRow[]> {
  if ((await stat(home.workspaces).catch(() => undefined)) === undefined)
    return [{ level: 'info', name: 'provider', text: 'found out when the first run begins' }];
  const tried = await examineWorkspaceProviders(home);
  const wanted = config?.workspaces.provider;
  const chosen = tried.find(({ kind, works }) => works && (wanted === undefined || kind === wanted));
  const from = wanted === undefined ? 'the quickest that works here' : 'from config.yaml';
  const inForce: DoctorRow =
    chosen === undefined
      ? {
          level: 'problem',
          name: 'provider',
          text: `${wanted ?? 'none'} does not work here`,
          hint: 'Leave `workspaces: { provider }` out of config.yaml for the quickest that works.',
        }
      : { level: 'ok', name: 'provider', text: `${chosen.kind}, ${from}` };
  const others = tried.map(({ kind, works, reason }): DoctorRow => {
    const text = works ? `${kind}: works` : `${kind}: ${reason ?? 'does not work'}`;
    return { level: 'info', name: 'tried', text };
  });
  return [inForce, ...others, await basesRow(home)];
}

async function basesRow(home: Home): Promise<DoctorRow> {
  const repositories = await readdir(home.bases).catch(() => []);
  const bases = (await Promise.all(repositories.map((name) => listBases(join(home.bases, name))))).flat();
  const bytes = bases.reduce((sum, base) => sum + base.bytes, 0);
  const text = bases.length === 0 ? 'none yet' : `${counted(bases.length, 'base')}, ${formatBytes(bytes)}`;
  return { level: 'info', name: 'bases', text };
}
