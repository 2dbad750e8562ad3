import { readFileSync, readlinkSync, statSync } from 'node:fs';
import { isWithin } from './is-within.ts';
import { isAlive, type ProcessIdentity, processIds, processStart } from './processes.ts';

// What can be seen of other processes on Linux, for telling whose they are. Nothing is seen where there is no /proc.

/** A live process that works in a folder, as this user may see it. */
export interface ProcessTrace extends Required<ProcessIdentity> {
  readonly folder: string;
  /** The environment that it was started with. */
  readonly env: Readonly<Record<string, string>>;
  /** Whether it has a controlling terminal: then somebody may sit there. */
  readonly hasTerminal: boolean;
}

/** This user's live processes whose working folder is `folder` or lies in it; the caller itself is left out. */
export function processesIn(folder: string): ProcessTrace[] {
  return processIds().flatMap((pid) => {
    const at = linkOf(pid, 'cwd');
    if (at === undefined || !isWithin(at, folder)) return [];
    if (pid === process.pid || ownerOf(pid) !== process.getuid?.()) return [];
    const start = processStart(pid);
    if (start === undefined || !isAlive({ pid, start })) return [];
    return [{ pid, start, folder: at, env: environmentOf(pid), hasTerminal: hasTerminal(pid) }];
  });
}

/**
 * Whether a live process of the folder's owner works in it. Undefined where that cannot be seen of one whose command line does not rule
 * out that it is such a program.
 */
export function isWorkedIn(folder: string, program: RegExp): boolean | undefined {
  const owner = statSync(folder, { throwIfNoEntry: false })?.uid;
  let isSure = owner !== undefined && processIds().length > 0;
  for (const pid of processIds()) {
    if (pid === process.pid || ownerOf(pid) !== owner || !isAlive({ pid })) continue;
    const at = linkOf(pid, 'cwd');
    if (at !== undefined && isWithin(at, folder)) return true;
    if (at === undefined && isAlive({ pid })) isSure &&= isSomethingElse(pid, program);
  }
  return isSure ? false : undefined;
}

function linkOf(pid: number, name: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/${name}`);
  } catch {
    return undefined; // ended meanwhile, or not to be seen
  }
}

function ownerOf(pid: number): number | undefined {
  try {
    return statSync(`/proc/${pid}`).uid;
  } catch {
    return undefined; // ended meanwhile
  }
}

function environmentOf(pid: number): Record<string, string> {
  const pairs = readProc(`${pid}/environ`).split('\0');
  return Object.fromEntries(
    pairs.flatMap((pair) => {
      const at = pair.indexOf('=');
      return at < 1 ? [] : [[pair.slice(0, at), pair.slice(at + 1)] as const];
    }),
  );
}

/** After the name in brackets: state, parent, group, session, terminal. */
function hasTerminal(pid: number): boolean {
  const text = readProc(`${pid}/stat`);
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[4] !== '0';
}

/** By its command line; a thread of the kernel has none, and no memory of its own. */
function isSomethingElse(pid: number, program: RegExp): boolean {
  const words = readProc(`${pid}/cmdline`);
  return words === '' ? !/^VmSize:/m.test(readProc(`${pid}/status`)) : !program.test(words);
}

function readProc(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'utf8');
  } catch {
    return ''; // ended meanwhile, or not to be seen
  }
}
