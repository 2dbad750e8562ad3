import { mkdir, mkdtemp, readdir, rename, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { unmountBelow } from '../lib/mounts.ts';
import { removeTrees } from '../lib/remove-trees.ts';

/** What is to be removed waits here, among the workspaces; no run is called like it. */
const REMOVED = '.removed';

/**
 * Takes a folder out of its place at once, whatever is in it or mounted there; the rest is for `removeAside`. False when it is not there.
 */
export async function setAside(workspaces: string, folder: string): Promise<boolean> {
  const aside = join(workspaces, REMOVED);
  await mkdir(aside, { recursive: true, mode: 0o700 });
  const place = await mkdtemp(join(aside, 'x'));
  try {
    await rename(folder, join(place, 'folder'));
    return true;
  } catch (error) {
    await rmdir(place);
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}

/**
 * Takes down and removes what was set aside, also by a harness that died since, and makes room for others meanwhile. Returns what a person
 * should know, one sentence each.
 */
export async function removeAside(workspaces: string, signal: AbortSignal): Promise<string[]> {
  const aside = join(workspaces, REMOVED);
  const names = await readdir(aside).catch(() => []);
  if (names.length === 0) return [];
  const busy = await unmountBelow(aside);
  await removeTrees(
    names.map((name) => join(aside, name)),
    { quiet: true, signal },
  );
  return busy.map(
    () => 'Something still uses the files of a removed workspace; what they take up is free when that has ended.',
  );
}
