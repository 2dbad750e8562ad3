import { readNumber } from './control-file.ts';
import { CPU_PERIOD, cpuQuota, type GroupPlace } from './group-place.ts';
import type { Hierarchies } from './hierarchies.ts';
import type { LimitBreach, LimitName, Limits } from './limits.ts';
import { processesBreach } from './processes-breach.ts';

/** Where groups might be made in the trees of version 1: below our own, so that what holds us holds them too. */
export function cgroup1Places({ v1 }: Hierarchies): GroupPlace[] {
  return Object.entries(CONTROLLERS).flatMap(([controller, { holds, settings, breaches }]) => {
    const own = v1[controller]?.own;
    return own === undefined
      ? []
      : [{ parent: own, holds: [holds], settings, breaches, entry: 'tasks', prepare: () => undefined }];
  });
}

type Controller = Pick<GroupPlace, 'settings' | 'breaches'> & { readonly holds: LimitName };

const CONTROLLERS: Readonly<Record<string, Controller>> = {
  memory: {
    holds: 'memory',
    settings: ({ memory }: Limits) =>
      memory === undefined
        ? []
        : [
            { file: 'memory.limit_in_bytes', text: `${memory}` },
            { file: 'memory.memsw.limit_in_bytes', text: `${memory}`, isOptional: true },
          ],
    breaches: { memory: memoryBreach },
  },
  pids: {
    holds: 'processes',
    settings: ({ processes }) => (processes === undefined ? [] : [{ file: 'pids.max', text: `${processes}` }]),
    breaches: { processes: processesBreach },
  },
  cpu: {
    holds: 'cpus',
    settings: ({ cpus }) =>
      cpus === undefined
        ? []
        : [
            { file: 'cpu.cfs_period_us', text: `${CPU_PERIOD}` },
            { file: 'cpu.cfs_quota_us', text: `${cpuQuota(cpus)}` },
          ],
    breaches: {},
  },
};

/**
 * That the limit was met says little, since the page cache is dropped then; that one of the processes was ended says that it was run into.
 * One may also be ended because the whole machine has no memory left, and then the group need never have come near its limit. (How often
 * it was met, `memory.failcnt`, is not counted by every kernel.)
 */
function memoryBreach(group: string, max: number): LimitBreach | undefined {
  if ((readNumber(group, 'memory.oom_control', 'oom_kill') ?? 0) === 0) return undefined;
  const used = readNumber(group, 'memory.max_usage_in_bytes');
  if (used !== undefined && used + ONE_MORE < max) return undefined;
  return { limit: 'memory', max, ...(used === undefined ? {} : { used }) };
}

/** The most that the kernel wants at once before it ends a process for it, generously. */
const ONE_MORE = 2 ** 20;
