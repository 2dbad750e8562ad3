import { noneWalls } from '../../src/adapters/sandboxes/none/index.ts';
import { MachineConfig } from '../../src/config/machine.ts';
import { wallsOf } from '../../src/daemon/walls.ts';
import { resolveHome } from '../../src/lib/home.ts';
import type { HostWalls } from './stage.ts';

export interface AttackedHosts {
  readonly open: HostWalls;
  readonly walled: HostWalls;
}

const MACHINE = MachineConfig.parse({});

/** No walls at all, and what a run has on this host when nobody names a level. `folder` is a Switchyard home for them. */
export async function hostWalls(folder: string): Promise<AttackedHosts> {
  const env = { ...process.env, SWITCHYARD_HOME: folder };
  const host = wallsOf({ env, home: resolveHome(env), machine: MACHINE });
  const programs = await host.get(await host.strongest());
  return { open: { programs: noneWalls, git: noneWalls }, walled: { programs, git: await host.forGit() } };
}
