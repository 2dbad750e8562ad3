import { hostname } from 'node:os';
import { isAlive, type ProcessIdentity, pidNamespaceOf, processStart, sendSignal } from '../../lib/processes.ts';
import { waitUntil } from '../../lib/wait-until.ts';
import type { SandboxRemains } from '../sandbox.ts';

// A namespace's own number is given again to a later one. So its name tells the init process, which the kernel lets end only after
// all other members: number and start time (with the boot), and from where that number was seen (outer namespace, host).

/** A namespace's init. One that ended before it could be looked at gets a start time that no process has. */
export function identifyInit(pid = 0): Required<ProcessIdentity> {
  return { pid, start: processStart(pid) ?? `${thisBoot()}:ended` };
}

/** The name under which a later process of the harness finds these walls again. */
export function namespaceName(init: Required<ProcessIdentity>): string {
  return [pidNamespaceOf(init.pid) ?? 'pid:[]', init.pid, init.start, pidNamespaceOf('self'), hostname()].join(' ');
}

/** Ends what is left in a namespace of that name, and proves it: true only when nothing of it can be running any more. */
export const pidRemains: SandboxRemains = {
  async clear(namespace) {
    const [number, pid, start, outer, host] = namespace.split(' ');
    if (number?.startsWith('pid:[') !== true || start === undefined || host !== hostname()) return false;
    if (bootOf(start) !== thisBoot()) return true;
    if (outer !== pidNamespaceOf('self')) return false;
    return end({ pid: Number(pid), start });
  },
};

async function end(init: ProcessIdentity): Promise<boolean> {
  const gone = () => !isAlive(init) || (sendSignal(init.pid, 'SIGKILL'), false);
  try {
    await waitUntil(gone, { timeoutMs: 10_000, everyMs: 2 });
    return true;
  } catch {
    return false; // not ours to end, or stuck in the kernel: both leave it running
  }
}

function thisBoot(): string | undefined {
  const start = processStart(process.pid);
  return start === undefined ? undefined : bootOf(start);
}

function bootOf(start: string): string {
  return start.slice(0, start.lastIndexOf(':'));
}
