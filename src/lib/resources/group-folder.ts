import { mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { sendSignal } from '../processes.ts';
import { waitUntil } from '../wait-until.ts';
import { errorCode, readControl, readWords, tryWriteControl } from './control-file.ts';

/** Makes a group's folder, and the one that it lies in, which `prepare` makes ready whenever it is new. */
export function makeGroupFolder(folder: string, prepare: (home: string) => void): void {
  const home = dirname(folder);
  // Another process of the same home may remove the empty folder between the two steps.
  for (let left = 20; left > 0; left--) {
    try {
      mkdirSync(folder);
      return;
    } catch (error) {
      if (errorCode(error) !== 'ENOENT' || left === 1) throw error;
    }
    try {
      mkdirSync(home);
      prepare(home);
    } catch (error) {
      if (errorCode(error) !== 'EEXIST' && errorCode(error) !== 'ENOENT') throw error;
    }
  }
}

/**
 * Ends what lives in the groups and those below them, removes them, and then the folders that they lay in where nothing else is left
 * there. The kernel keeps a group until its last process is gone, so that takes as long; rejects with `wait/timeout` after 10 s.
 */
export async function removeGroupFolders(folders: readonly string[]): Promise<void> {
  const tryAll = () => folders.map((folder) => tryRemove(folder)).every((isGone) => isGone);
  if (!tryAll())
    await waitUntil(tryAll, { timeoutMs: 10_000, everyMs: 5, what: 'the end of what runs in a control group' });
  for (const home of new Set(folders.map((folder) => dirname(folder)))) removeIfEmpty(home);
}

/** Whether it is gone; else somebody is still in it, and was told to end. */
function tryRemove(folder: string): boolean {
  if (removeIfEmpty(folder)) return true;
  endAllIn(folder);
  for (const below of groupsIn(folder)) tryRemove(join(folder, below));
  return removeIfEmpty(folder);
}

/** Removes a group in which there is nobody; false for one with somebody in it, or below it. */
export function removeIfEmpty(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return true;
    if (errorCode(error) === 'EBUSY') return false;
    throw error;
  }
}

/** The groups below a group. */
export function groupsIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
  } catch {
    return []; // removed meanwhile, or not ours to see
  }
}

/** By one word to the kernel where it knows that, else one after the other, when none can start another any more. */
function endAllIn(folder: string): void {
  if (tryWriteControl(folder, 'cgroup.kill', '1')) return;
  if (readControl(folder, 'pids.max') !== undefined) tryWriteControl(folder, 'pids.max', '0');
  for (const word of readWords(folder, 'cgroup.procs')) {
    const pid = Number(word);
    // 0 stands for a process that has no number here, and as a target for all of our own.
    if (pid > 1 && pid !== process.pid) sendSignal(pid, 'SIGKILL');
  }
}
