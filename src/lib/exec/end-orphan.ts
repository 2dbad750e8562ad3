import { readFileSync } from 'node:fs';
import { isAlive, sendSignal } from '../processes.ts';
import { waitUntil } from '../wait-until.ts';

const TIMEOUT_MS = 10_000;

/**
 * Kills a process that led its own session and whose parent has just died, so that nobody tells any more when it ends. It is told from a
 * later one of that number by what such a one hardly ever is: the leader of its session.
 */
export async function endOrphan(pid: number): Promise<void> {
  const gone = (): boolean => {
    if (!isAlive({ pid }) || sessionOf(pid) !== pid) return true;
    sendSignal(pid, 'SIGKILL');
    return false;
  };
  // One that is stuck in the kernel has been told.
  await waitUntil(gone, { timeoutMs: TIMEOUT_MS, everyMs: 2 }).catch(() => undefined);
}

function sessionOf(pid: number): number | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // After the name in brackets: state, parent, group, session.
    return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[3]);
  } catch {
    return undefined; // it has ended
  }
}
