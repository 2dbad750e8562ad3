import { readFileSync, readlinkSync } from 'node:fs';
import { messageOf, SwitchyardError } from '../error.ts';
import { runProgram } from '../exec/run-program.ts';
import type { LimitControl } from './limits.ts';

/**
 * Holds an ordinary user's programs to a number of processes without control groups: by RLIMIT_NPROC, which what they start inherits and
 * cannot raise. The kernel counts a user's processes and threads within one user namespace, so a process is taken in only if it has a
 * user namespace of its own; of one that shares ours, all else that the user runs would count. That others of the same user were
 * refused a process is not remembered anywhere: it is never told as a breach. The kernel does not hold the host's root to it, and
 * memory, processor time and space cannot be held for several processes together in such a way at all.
 */
export const processRlimit: LimitControl = {
  enforces: ['processes'],
  async start({ processes }) {
    return {
      needsAdmission: processes !== undefined,
      async admit(pids) {
        if (processes === undefined) return;
        const namespaces = pids.map((pid) => ({ pid, user: userNamespaceOf(pid) }));
        const living = namespaces.filter(({ user }) => user !== undefined);
        const walled = living.filter(({ user }) => user !== userNamespaceOf('self'));
        if (living.length > 0 && walled.length === 0) throw cannotAdmit('none of them has a user namespace of its own');
        for (const { pid } of walled) {
          const why = await setProcessLimit(pid, processes);
          if (why !== undefined && userNamespaceOf(pid) !== undefined) throw cannotAdmit(why);
        }
      },
      // On the host it has no user namespace of its own yet.
      entering: (argv) => (processes === undefined ? argv : undefined),
      breach: async () => undefined,
      [Symbol.asyncDispose]: async () => undefined,
    };
  },
};

/** Whether that can be done here: undefined if so, otherwise why not. The process, one of our own, keeps the limit. */
export async function whyNoRlimit(pid: number): Promise<string | undefined> {
  if (process.geteuid?.() === 0) return 'the kernel holds root to no number of processes but by a control group';
  const why = await setProcessLimit(pid, TRIAL);
  if (why !== undefined) return why;
  const [soft, hard] =
    /^Max processes\s+(\d+)\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'utf8'))?.slice(1) ?? [];
  return Number(soft) === TRIAL && Number(hard) === TRIAL ? undefined : 'prlimit changes nothing here';
}

const TRIAL = 64;

/** Undefined once it is held to it. */
async function setProcessLimit(pid: number, most: number): Promise<string | undefined> {
  try {
    const args = ['--pid', `${pid}`, `--nproc=${most}:${most}`];
    const env = { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C' };
    const { code, stderr } = await runProgram({
      file: 'prlimit',
      args,
      cwd: '/',
      env,
      input: undefined,
      signal: undefined,
    });
    return code === 0 ? undefined : stderr.trim() || `prlimit ended with ${code}`;
  } catch (error) {
    return messageOf(error);
  }
}

/** Undefined for a process that has ended. */
function userNamespaceOf(pid: number | 'self'): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/user`);
  } catch {
    return undefined;
  }
}

function cannotAdmit(why: string): SwitchyardError {
  return new SwitchyardError({
    code: 'resources/cannot-admit',
    message: `cannot hold processes to their number: ${why}`,
    hint: 'See `switchyard doctor`.',
  });
}
