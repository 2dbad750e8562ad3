import { accessSync, constants, mkdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { descendants } from '../processes.ts';
import { errorCode, readControl, readNumber, readWords, tryWriteControl, writeControl } from './control-file.ts';
import { homeFolderName } from './group-name.ts';
import { CPU_PERIOD, cpuQuota, type GroupPlace, type Setting } from './group-place.ts';
import type { Hierarchy } from './hierarchies.ts';
import type { LimitBreach, LimitName, Limits } from './limits.ts';
import { processesBreach } from './processes-breach.ts';

/** The controllers that we use, and what each holds a group to. */
const CONTROLLERS = { memory: 'memory', pids: 'processes', cpu: 'cpus' } as const satisfies Record<string, LimitName>;

/**
 * Where groups may be made in the tree of version 2: the nearest group that hands controllers down, from our own upwards. A group with
 * processes of its own hands none down; if ours has none but ourselves and our children, all of them move into a group below it, which
 * is what a group was given to us for (`Delegate=yes`). Nobody else is ever moved. Undefined where no group is ours to write to.
 */
export function cgroup2Place(hierarchy: Hierarchy, homeId: string): GroupPlace | undefined {
  const found = findDelegated(hierarchy, homeId, Object.keys(CONTROLLERS));
  return found === undefined ? undefined : placeIn(found.folder, found.controllers);
}

export function placeIn(parent: string, controllers: readonly string[]): GroupPlace {
  const enabled = Object.entries(CONTROLLERS).filter(([name]) => controllers.includes(name));
  return {
    parent,
    holds: enabled.map(([, limit]) => limit),
    settings,
    entry: 'cgroup.procs',
    breaches: { memory: memoryBreach, processes: processesBreach },
    prepare: (folder) => handDown(folder, controllers),
  };
}

/** A group whose groups have these of the wanted controllers. */
interface Delegated {
  readonly folder: string;
  readonly controllers: readonly string[];
}

export function findDelegated(
  { root, own }: Hierarchy,
  homeId: string,
  wanted: readonly string[],
): Delegated | undefined {
  const leaf = leafName(homeId);
  // We may have been moved by an earlier call.
  const start = basename(own) === leaf ? dirname(own) : own;
  for (const folder of upwards(start, root)) {
    const offered = readWords(folder, 'cgroup.controllers').filter((name) => wanted.includes(name));
    if (offered.length === 0 || !isWritable(folder)) continue;
    const lacks = () => offered.filter((name) => !readWords(folder, 'cgroup.subtree_control').includes(name));
    if (lacks().length > 0 && (isTop(folder) || makeRoom(folder, leaf))) {
      for (const name of lacks()) tryWriteControl(folder, 'cgroup.subtree_control', `+${name}`);
    }
    const controllers = offered.filter((name) => !lacks().includes(name));
    if (controllers.length > 0) return { folder, controllers };
  }
  return undefined;
}

/** The group that we move into ourselves. It stays as long as we live; the next process of the same home uses it again. */
export function leafName(homeId: string): string {
  return `${homeFolderName(homeId)}.harness`;
}

function upwards(folder: string, root: string): string[] {
  return folder === root || !folder.startsWith(root) ? [root] : [folder, ...upwards(dirname(folder), root)];
}

/** Only the top of the whole tree has no such file; it may have processes and hand controllers down all the same. */
function isTop(folder: string): boolean {
  return readControl(folder, 'cgroup.type') === undefined;
}

/** Whether the group has no processes of its own any more. `leaf` is the group below it that ours move into. */
export function makeRoom(folder: string, leaf: string): boolean {
  // Our children may start others meanwhile.
  for (let left = 10; left > 0; left--) {
    const inside = readWords(folder, 'cgroup.procs').map(Number);
    if (inside.length === 0) return true;
    const ours = new Set([process.pid, ...descendants(process.pid)]);
    if (!inside.every((pid) => ours.has(pid)) || !moveAll(inside, join(folder, leaf))) return false;
  }
  return false;
}

function moveAll(pids: readonly number[], to: string): boolean {
  try {
    mkdirSync(to);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') return false;
  }
  for (const pid of pids) {
    try {
      writeControl(to, 'cgroup.procs', `${pid}`);
    } catch (error) {
      if (errorCode(error) !== 'ESRCH') return false;
    }
  }
  return true;
}

/** To make groups needs the folder, and to move a process into one the list of the nearest group that has both its old and its new one below it. */
function isWritable(folder: string): boolean {
  try {
    for (const name of ['.', 'cgroup.procs', 'cgroup.subtree_control']) accessSync(join(folder, name), constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function handDown(folder: string, controllers: readonly string[]): void {
  for (const name of controllers) writeControl(folder, 'cgroup.subtree_control', `+${name}`);
}

function settings({ memory, cpus, processes }: Limits): Setting[] {
  return [
    ...(memory === undefined
      ? []
      : [
          { file: 'memory.max', text: `${memory}` },
          { file: 'memory.swap.max', text: '0', isOptional: true },
        ]),
    ...(cpus === undefined ? [] : [{ file: 'cpu.max', text: `${cpuQuota(cpus)} ${CPU_PERIOD}` }]),
    ...(processes === undefined ? [] : [{ file: 'pids.max', text: `${processes}` }]),
  ];
}

/**
 * `max` alone also counts the page cache that was dropped in time; `oom`, what could not be given at all. A process may also be ended
 * because the machine or a group further up has no memory left, while this one never met its limit.
 */
function memoryBreach(group: string, max: number): LimitBreach | undefined {
  const events = (key: string) => readNumber(group, 'memory.events', key) ?? 0;
  if (events('oom') === 0 && (events('oom_kill') === 0 || events('max') === 0)) return undefined;
  const used = readNumber(group, 'memory.peak');
  return { limit: 'memory', max, ...(used === undefined ? {} : { used }) };
}
