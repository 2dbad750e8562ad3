import { readFileSync } from 'node:fs';
import { processIds } from '../../../lib/processes.ts';

/**
 * All processes of the session that this process leads or led, orphans included: only `setsid` takes a process out of it. The kernel
 * gives the leader's number to nobody else as long as a member lives. Empty where there is no /proc.
 */
export function sessionMembers(leader: number): number[] {
  return processIds().filter((pid) => sessionOf(pid) === leader);
}

function sessionOf(pid: number): number | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // After the name in brackets: state, parent, group, session.
    return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[3]);
  } catch {
    return undefined; // it has ended meanwhile
  }
}
