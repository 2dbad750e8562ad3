import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { SwitchyardError } from './error.ts';
import { waitUntil } from './wait-until.ts';

// Processes as Linux shows them under /proc. Elsewhere each function says the little that can be known, as its comment tells.
// Reads of /proc never touch a disk, so they are synchronous.

/** A process that can be told from a later one with the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** From `processStart`; undefined where that is not known, and then only the number counts. */
  readonly start?: string | undefined;
}

/** When the process started, as an opaque string that also names the boot; undefined when there is none, or no /proc. */
export function processStart(pid: number): string | undefined {
  const stat = readStat(pid);
  return stat && startOf(stat);
}

/** Whether that very process runs. One that has ended and is only not yet collected by its parent (a zombie) does not. */
export function isAlive(process: ProcessIdentity): boolean {
  const stat = readStat(process.pid);
  if (!stat) return !hasProc() && canSignal(process.pid);
  if (isZombie(stat)) return false;
  return process.start === undefined || process.start === startOf(stat);
}

/**
 * The arguments that the process was started with; undefined when it has ended, may not be seen, or there is no /proc.
 */
export function argumentsOf(pid: number): readonly string[] | undefined {
  const text = readProc(`${pid}/cmdline`);
  return text ? text.split('\0').slice(0, -1) : undefined;
}

/** The numbers of all processes that this one may see. Empty without /proc. */
export function processIds(): number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return []; // no /proc on this system
  }
}

/** All processes below `pid`, parents first. A child that was orphaned has left its tree. Empty without /proc. */
export function descendants(pid: number): number[] {
  const children = Map.groupBy(allStats(), (stat) => stat.parent);
  const found: number[] = [];
  const seen = new Set([pid]);
  for (let level = [pid]; level.length > 0; ) {
    level = level.flatMap((parent) => children.get(parent) ?? []).flatMap(({ pid }) => (seen.has(pid) ? [] : [pid]));
    for (const child of level) seen.add(child);
    found.push(...level);
  }
  return found;
}

/**
 * The pid namespace of a process, for instance `pid:[4026531836]`; undefined when it has ended, may not be seen, or
 * without /proc.
 */
export function pidNamespaceOf(pid: number | 'self'): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return undefined;
  }
}

/**
 * The processes in that pid namespace, zombies left out, the namespace's first process (its init) first. Processes in
 * namespaces nested in it are not listed; they end with its init. A process that has made itself unreadable (not
 * dumpable) is not seen by an ordinary user: a proof of emptiness against hostile code is the end of the namespace's
 * init, which the kernel lets end only after all others.
 */
export function processesInNamespace(namespace: string): number[] {
  const members = allStats().filter((stat) => !isZombie(stat) && pidNamespaceOf(stat.pid) === namespace);
  return members
    .map(({ pid }) => pid)
    .toSorted((a, b) => Number(isNamespaceInit(b)) - Number(isNamespaceInit(a)) || a - b);
}

/**
 * Kills every process in that pid namespace with SIGKILL, init first, and resolves when none is left; at once when it
 * is empty. Throws `namespace/own` for the namespace of this process, `wait/timeout` when some are still there after
 * `timeoutMs` (10 s), the signal's reason when aborted (what was killed stays killed).
 */
export async function killNamespace(
  namespace: string,
  options: { readonly signal?: AbortSignal; readonly timeoutMs?: number } = {},
): Promise<void> {
  if (namespace === pidNamespaceOf('self')) {
    throw new SwitchyardError({
      code: 'namespace/own',
      message: `refusing to kill the pid namespace ${namespace}: this process is in it`,
      hint: 'The work to be killed must run in a pid namespace of its own.',
    });
  }
  const noneLeft = () => {
    const members = processesInNamespace(namespace);
    for (const pid of members) {
      // Asked again right before the kill: the number may belong to somebody else by now.
      if (pidNamespaceOf(pid) === namespace) sendSignal(pid, 'SIGKILL');
    }
    return members.length === 0;
  };
  const { timeoutMs = 10_000, signal } = options;
  await waitUntil(noneLeft, { timeoutMs, everyMs: 5, signal, what: `the end of all processes in ${namespace}` });
}

/** Sends a signal; false when there is no such process. Throws when this user may not. */
export function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    throw error;
  }
}

interface Stat {
  readonly pid: number;
  readonly state: string;
  readonly parent: number;
  readonly startTicks: string;
}

function readStat(pid: number): Stat | undefined {
  const text = readProc(`${pid}/stat`);
  if (!text) return undefined;
  // The second field is the name in brackets, which may itself hold brackets and blanks; fields are counted after its end.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state = '', parent = ''] = fields;
  return { pid, state, parent: Number(parent), startTicks: fields[19] ?? '' };
}

function allStats(): Stat[] {
  return processIds().flatMap((pid) => readStat(pid) ?? []);
}

/** The same as long as this process lives. */
let bootId: string | undefined;

function startOf(stat: Stat): string {
  return `${(bootId ??= readProc('sys/kernel/random/boot_id')?.trim()) ?? ''}:${stat.startTicks}`;
}

function isZombie(stat: Stat): boolean {
  return stat.state === 'Z' || stat.state === 'X';
}

function isNamespaceInit(pid: number): boolean {
  return /^NSpid:.*\s1$/m.test(readProc(`${pid}/status`) ?? '');
}

function hasProc(): boolean {
  return readProc('self/stat') !== undefined;
}

function canSignal(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function readProc(path: string): string | undefined {
  try {
    return readFileSync(`/proc/${path}`, 'utf8');
  } catch {
    // Gone meanwhile, not ours to see, or no /proc at all: for the callers one and the same.
    return undefined;
  }
}
