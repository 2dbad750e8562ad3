import { startProcess } from '../exec/start.ts';
import { listed } from '../listed.ts';
import { sendSignal } from '../processes.ts';
import { cgroupControl, NOT_OURS, whyUnusable } from './cgroup-control.ts';
import { cgroup1Places } from './cgroup1.ts';
import { cgroup2Place } from './cgroup2.ts';
import { type GroupPlace, restricted } from './group-place.ts';
import { type Hierarchies, readHierarchies } from './hierarchies.ts';
import { type LimitControl, type LimitName, together } from './limits.ts';
import { processRlimit, whyNoRlimit } from './process-rlimit.ts';

export interface ResourceProbe {
  readonly control: LimitControl;
  /** What holds programs, for instance `cgroup v1`; `none` where nothing does. */
  readonly mechanism: string;
  /** What programs are not held to here and why, one sentence each, for `doctor`. */
  readonly notes: readonly string[];
}

export interface ProbeOptions {
  /** The home whose groups they are, as `homeIdOf` names it: several homes on one machine do not get in each other's way. */
  readonly homeId: string;
  /** Where this process is described; `/proc/self` if not given. */
  readonly proc?: string;
}

/**
 * What this host can hold programs to, for this user. Each way is tried: a group is made, a child is moved into it, and what the kernel
 * was told is read back. Leaves nothing on the host, except that with control groups of version 2 a group that is ours alone may be set to
 * hand controllers down, for which this process moves into one below it. Where programs can see the control groups' files with the
 * rights to change them, nothing holds them: walls must not show them `/sys/fs/cgroup`.
 */
export async function probeResources({ homeId, proc }: ProbeOptions): Promise<ResourceProbe> {
  const hierarchies = readHierarchies(proc);
  const reasons = new Map<LimitName, string>(HELD.map((limit) => [limit, whyNoPlace(hierarchies)]));
  const usable: GroupPlace[] = [];
  const mechanisms: string[] = [];
  const tryPlace = async (candidate: GroupPlace | undefined, mechanism: string) => {
    const place = candidate && restricted(candidate, (limit) => reasons.has(limit));
    if (place === undefined) return;
    const why = await withChild((pid) => whyUnusable(place, homeId, pid));
    for (const limit of place.holds) {
      if (why === undefined) reasons.delete(limit);
      else reasons.set(limit, why);
    }
    if (why !== undefined) return;
    usable.push(place);
    if (!mechanisms.includes(mechanism)) mechanisms.push(mechanism);
  };
  for (const place of cgroup1Places(hierarchies)) await tryPlace(place, 'cgroup v1');
  if (hierarchies.v2 !== undefined && reasons.size > 0)
    await tryPlace(cgroup2Place(hierarchies.v2, homeId), 'cgroup v2');
  const controls = usable.length === 0 ? [] : [cgroupControl(usable, homeId)];
  const notes: string[] = [];
  if (reasons.has('processes') && (await withChild(whyNoRlimit)) === undefined) {
    reasons.delete('processes');
    controls.push(processRlimit);
    mechanisms.push('RLIMIT_NPROC');
    notes.push(
      'Programs are held to a number of processes, but that they wanted more is not told: only a control group remembers it.',
    );
  }
  notes.push(...notesOf(reasons));
  return { control: together(controls), mechanism: mechanisms.join(' and ') || 'none', notes };
}

const HELD = ['memory', 'processes', 'cpus'] as const satisfies readonly LimitName[];
const WORDS = { memory: 'memory', processes: 'number of processes', cpus: 'processor time', disk: 'disk space' };

function whyNoPlace({ v1, v2 }: Hierarchies): string {
  if (v2 === undefined && Object.keys(v1).length === 0) return 'this system shows no control groups';
  return NOT_OURS;
}

function notesOf(reasons: ReadonlyMap<LimitName, string>): string[] {
  const byReason = Map.groupBy(reasons, ([, why]) => why);
  return [...byReason].map(
    ([why, limits]) => `Programs are not held to limits of ${listed(limits.map(([limit]) => WORDS[limit]))}: ${why}.`,
  );
}

/** Something to try it with, which ends with the call. */
async function withChild<T>(use: (pid: number) => Promise<T>): Promise<T> {
  const child = await startProcess({
    file: '/bin/sh',
    args: ['-c', 'exec sleep 60'],
    cwd: '/',
    env: { PATH: '/usr/bin:/bin' },
  });
  let isOurs = true;
  void child.ended.then(() => {
    isOurs = false;
  });
  try {
    return await use(child.pid);
  } finally {
    child.stdout.resume();
    child.stderr.resume();
    if (isOurs) sendSignal(child.pid, 'SIGKILL');
    await child.ended;
  }
}
