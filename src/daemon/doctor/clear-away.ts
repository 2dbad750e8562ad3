import { messageOf } from '../../lib/error.ts';
import { acquireExclusiveLock } from '../../lib/exclusive-lock.ts';
import { resolveHome } from '../../lib/home.ts';
import { isThere } from '../../lib/is-there.ts';
import { leftContainers } from './left-containers.ts';
import { leftInHome } from './left-in-home.ts';
import { leftMounts } from './left-mounts.ts';
import { leftScratch } from './left-scratch.ts';
import { leftWorkspaces } from './left-workspaces.ts';
import type { Leftover } from './leftover.ts';
import type { Env } from './report.ts';

/** What became of a leftover: `kept` says why, and is left for a person. */
export interface ClearedLeftover extends Omit<Leftover, 'remove'> {
  readonly outcome: 'removed' | 'would-remove' | 'kept';
  readonly why?: string;
}

export interface Cleared {
  readonly schema: 1;
  /** True when nothing is left. */
  readonly ok: boolean;
  readonly dryRun: boolean;
  /** What was not looked at, and why. */
  readonly notes: readonly string[];
  readonly leftovers: readonly ClearedLeftover[];
}

/**
 * Clears away what dead processes of this home have left, and nothing else: each thing only with the proof that it is ours and that its
 * owner is dead. Where the home's daemon or worker lives, its own things are not looked at. A dry run only finds.
 */
export async function clearAway({ env, dryRun }: { env: Env; dryRun: boolean }): Promise<Cleared> {
  const home = resolveHome(env);
  const notes: string[] = [];
  const leftovers: ClearedLeftover[] = [];
  const clear = async (found: readonly Leftover[]) => {
    for (const leftover of found) leftovers.push(await cleared(leftover, dryRun));
  };
  await clear(await leftScratch(home, env));
  if (await isThere(home.lock)) {
    await using lock = await acquireExclusiveLock(home.lock);
    if (lock === undefined) notes.push(`${IN_USE} (${home.folder})`);
    else {
      // Workspaces before the rest: whoever is asked about them is what that would stop. Containers hold workspaces.
      await clear(await leftContainers(home, env));
      await clear(leftMounts(home));
      await clear(await leftWorkspaces(home, env));
      await clear(await leftInHome(home));
    }
  }
  const ok = leftovers.every(({ outcome }) => outcome === 'removed');
  return { schema: 1, ok, dryRun, notes, leftovers };
}

const IN_USE =
  'A daemon or worker of this home is alive: its socket, database, processes and workspaces are in use and were not looked at';

async function cleared({ remove, ...facts }: Leftover, dryRun: boolean): Promise<ClearedLeftover> {
  if (dryRun) return { ...facts, outcome: 'would-remove' };
  try {
    const why = await remove();
    return why === undefined ? { ...facts, outcome: 'removed' } : { ...facts, outcome: 'kept', why };
  } catch (error) {
    return { ...facts, outcome: 'kept', why: messageOf(error) };
  }
}
