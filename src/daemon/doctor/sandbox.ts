import type { MachineConfig } from '../../config/machine.ts';
import { SandboxLevel, WALL_PROPERTIES, type WallProperty } from '../../domain/sandbox.ts';
import { messageOf } from '../../lib/error.ts';
import { openFilesFor } from '../../lib/resources/open-files.ts';
import type { Walls } from '../../ports/sandbox.ts';
import type { HostWalls } from '../walls.ts';
import type { DoctorRow } from './report.ts';

/** The level in force with what it promises and what it does not, then what each level holds on this machine. */
export async function sandboxRows(hostWalls: HostWalls, config: MachineConfig | undefined): Promise<DoctorRow[]> {
  const strongest = await hostWalls.strongest();
  const level = config?.sandbox ?? strongest;
  const levels = await Promise.all(SandboxLevel.options.map((one) => probed(hostWalls, one)));
  const { mechanism, notes } = await hostWalls.resources();
  const held = [
    `held by ${mechanism}; the size of workspaces is looked at from outside`,
    ...notes,
    openFilesText(config?.resources ?? {}),
  ];
  return [
    ...inForce(levels, { level, strongest, isConfigured: config?.sandbox !== undefined }),
    ...table(levels, level),
    { level: 'info', name: 'limits', text: held.join('\n') },
  ];
}

/** What levels that hold programs to it make of the configuration on this machine. */
function openFilesText(resources: MachineConfig['resources']): string {
  const { hard } = openFilesFor(resources);
  const wanted = resources.openFiles ?? hard;
  const less = wanted > hard ? `, of the ${wanted} that are configured: this user may have no more` : '';
  return `Where open files are held, each program may have ${hard}${less} (\`resources.openFiles\`).`;
}

interface Probed {
  readonly level: SandboxLevel;
  readonly walls: Walls | string;
}

async function probed(hostWalls: HostWalls, level: SandboxLevel): Promise<Probed> {
  return { level, walls: await hostWalls.get(level).catch((error: unknown) => messageOf(error)) };
}

function inForce(
  levels: readonly Probed[],
  { level, strongest, isConfigured }: { level: SandboxLevel; strongest: SandboxLevel; isConfigured: boolean },
): DoctorRow[] {
  const walls = levels.find((one) => one.level === level)?.walls ?? '';
  if (typeof walls === 'string') {
    const hint = `This machine has the level ${strongest}: write \`sandbox: ${strongest}\` into config.yaml, or leave that line out.`;
    return [{ level: 'problem', name: 'level', text: walls, hint }];
  }
  const stronger = levels.find((one) => one.level === 'bubblewrap')?.walls;
  const hint = !isConfigured && typeof stronger === 'string' ? { hint: `${stronger} With it, runs have walls.` } : {};
  return [
    {
      level: walls.boundsNetwork ? 'ok' : 'warning',
      name: 'level',
      text: `${level} (${walls.mechanism}), ${isConfigured ? 'from config.yaml' : 'the one that runs get when nobody names one'}`,
      ...hint,
    },
    ...walls.guarantees.map((text) => ({ level: 'info' as const, name: 'promises', text })),
    ...walls.warnings.map((text) => ({ level: 'warning' as const, name: 'no wall', text })),
  ];
}

const WIDTH = 12;

/** A line for each property, a column for each level that this machine has; then why it has not the others. */
function table(levels: readonly Probed[], chosen: SandboxLevel): DoctorRow[] {
  const there = levels.flatMap(({ level, walls }) => (typeof walls === 'string' ? [] : [{ level, walls }]));
  const cells = (of: (one: (typeof there)[number]) => string) => there.map((one) => of(one).padEnd(WIDTH)).join('');
  const names = Object.keys(WALL_PROPERTIES) as WallProperty[];
  const lines = [
    cells(({ level }) => (level === chosen ? `${level}*` : level)),
    ...names.map(
      (name) => `${cells(({ walls }) => (walls.holds.includes(name) ? 'yes' : 'no'))}${WALL_PROPERTIES[name]}`,
    ),
    `${cells(({ walls }) => (walls.enforces.length === 0 ? 'none' : String(walls.enforces.length)))}limits held: ${limitsHeld(there)}`,
  ];
  return [
    { level: 'info', name: 'levels', text: lines.join('\n') },
    ...levels.flatMap(({ level, walls }) =>
      typeof walls === 'string' ? [{ level: 'info' as const, name: level, text: walls }] : [],
    ),
  ];
}

function limitsHeld(there: readonly { level: SandboxLevel; walls: Walls }[]): string {
  const best = there.reduce<Walls['enforces']>(
    (most, { walls }) => (walls.enforces.length > most.length ? walls.enforces : most),
    [],
  );
  return best.length === 0 ? 'none' : best.join(', ');
}
