import { join } from 'node:path';
import { leafName } from './cgroup2.ts';
import { groupsIn, removeGroupFolders, removeIfEmpty } from './group-folder.ts';
import { homeFolderName, isOwnerDead } from './group-name.ts';
import { readHierarchies } from './hierarchies.ts';

/**
 * Removes the control groups that processes of this home have left behind when they died, wherever in the tree they were made, and ends
 * what still lives in them. Those of a process that lives, or that cannot be looked for from here, stay, as do those of other homes and
 * those that this user may not remove. Resolves with how many were removed.
 */
export async function clearLeftovers(homeId: string, proc = '/proc/self'): Promise<number> {
  const { v1, v2 } = readHierarchies(proc);
  const used = [v1['memory'], v1['pids'], v1['cpu'], v2].flatMap((hierarchy) => hierarchy?.root ?? []);
  const removed = new Set<string>();
  for (const root of new Set(used)) for (const name of await clearBelow(root, homeId)) removed.add(name);
  return removed.size;
}

/** The same below one group; resolves with the names. */
export async function clearBelow(root: string, homeId: string): Promise<string[]> {
  const [homeName, leaf] = [homeFolderName(homeId), leafName(homeId)];
  const removed: string[] = [];
  const visit = async (folder: string, depth: number): Promise<void> => {
    for (const name of groupsIn(folder)) {
      const path = join(folder, name);
      if (name === homeName) removed.push(...(await clearHome(path)));
      else if (name === leaf) tryRemoveEmpty(path);
      else if (depth < DEEPEST) await visit(path, depth + 1);
    }
  };
  await visit(root, 0);
  return removed;
}

const DEEPEST = 16;

async function clearHome(home: string): Promise<string[]> {
  const removed: string[] = [];
  for (const name of groupsIn(home)) {
    if (!isOwnerDead(name)) continue;
    try {
      await removeGroupFolders([join(home, name)]);
      removed.push(name);
    } catch {
      // Not this user's, or somebody in it cannot be ended now: the next start tries again.
    }
  }
  tryRemoveEmpty(home);
  return removed;
}

function tryRemoveEmpty(folder: string): void {
  try {
    removeIfEmpty(folder);
  } catch {
    // Not this user's: an empty group does nobody any harm.
  }
}
