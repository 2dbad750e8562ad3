import type { ResourceLimits, ResourceName, SandboxLevel } from '../domain/sandbox.ts';
import type { Walls } from '../ports/sandbox.ts';
import type { InForce } from './in-force.ts';

interface Asked extends Pick<InForce, 'config' | 'unread'> {
  readonly walls: Pick<Walls, 'level' | 'boundsNetwork' | 'enforces'>;
  /** What the run may reach, as it was asked for. */
  readonly network: readonly string[];
  readonly resources: ResourceLimits;
}

/** What configuration asks for and this run does not have, one sentence each: it is said, not passed over. */
export function notInForce({ config, unread, walls, network, resources }: Asked): string[] {
  return [
    ...networkNotes(walls, { network, isSaid: config.workspace.network !== undefined }),
    ...resourceNotes(walls, resources),
    ...(config.server === undefined
      ? []
      : [`server is not in force: runs and merges happen on this machine, not on ${config.server}.`]),
    ...(unread.length === 0 ? [] : [`${unread.join(', ')}: not in force, this version does not read them.`]),
  ];
}

/** What is in force of it: hosts by name are for the level `domains` and stronger ones. */
export function networkAt(level: SandboxLevel, network: readonly string[]): string[] {
  return network.filter((word) => level !== 'bubblewrap' || isGroup(word));
}

function isGroup(word: string): boolean {
  return word === 'model' || word === 'packages';
}

function networkNotes(
  walls: Asked['walls'],
  { network, isSaid }: { network: readonly string[]; isSaid: boolean },
): string[] {
  if (!walls.boundsNetwork)
    return isSaid
      ? [`workspace.network is not in force: the sandbox level ${walls.level} leaves the network open.`]
      : [];
  const kept = networkAt(walls.level, network);
  const left = network.filter((word) => !kept.includes(word));
  return left.length === 0
    ? []
    : [
        `${left.join(', ')}: not reached by this run, since the sandbox level ${walls.level} lets no hosts through by name; --sandbox domains does.`,
      ];
}

function resourceNotes({ level, enforces }: Asked['walls'], resources: ResourceLimits): string[] {
  const wanted = Object.keys(resources) as ResourceName[];
  // What a workspace comes to on the disk is looked at from outside, whatever the walls.
  const left = wanted.filter((name) => name !== 'disk' && resources[name] !== undefined && !enforces.includes(name));
  return left.length === 0
    ? []
    : [
        `resources.${left.join(', resources.')}: not in force, the sandbox level ${level} cannot hold programs to it on this host (switchyard doctor says why).`,
      ];
}
