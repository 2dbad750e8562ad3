import { readFileSync } from 'node:fs';
import type { Argv } from './limits.ts';

/** Descriptors that one process may have open: `soft` is what it begins with, `hard` how far it may raise that by itself. */
export interface OpenFiles {
  readonly soft: number;
  readonly hard: number;
}

/**
 * What programs begin with, as on most systems: some close every descriptor up to this bound when they start another program, and those
 * that use `select` cannot take a higher one. Node itself raises it to `hard`, which what it starts would inherit.
 */
const SOFT = 1024;

/**
 * How far a program may raise that where nobody says how far: databases and search engines ask for as many (the most demanding of them for
 * 65,536), browsers, bundlers and test runners for a few thousand. With a million, as some systems allow, three programs could have all
 * that a machine has: by itself the kernel gives a tenth of its memory's kilobytes, two and a half million for 24 GB.
 */
export const MOST_OPEN_FILES = 65_536;

/** What no such bound goes below by itself: tools of large repositories need it. */
const LEAST_OPEN_FILES = 4096;

/**
 * What a program is held to. Where `openFiles` is left out, a run that is held to a number of processes has at most half of the machine's
 * with all of them together, unless that leaves too few to work with. Never more than this process may have itself.
 */
export function openFilesFor(
  { openFiles, processes }: { readonly openFiles?: number | undefined; readonly processes?: number | undefined },
  machine: Machine = thisMachine(),
): OpenFiles {
  const share = processes === undefined ? Infinity : Math.floor(machine.files / 2 / processes);
  const byItself = Math.min(MOST_OPEN_FILES, Math.max(LEAST_OPEN_FILES, share));
  const hard = Math.min(openFiles ?? byItself, machine.own);
  return { soft: Math.min(SOFT, hard), hard };
}

/** `own` is how many this process may have, `files` how many there are for all users but the host's root. */
export interface Machine {
  readonly own: number;
  readonly files: number;
}

function thisMachine(): Machine {
  const files = Number.parseInt(readProc('/proc/sys/fs/file-max'), 10);
  return { own: openFilesOf('self') ?? Infinity, files: Number.isNaN(files) ? Infinity : files };
}

/** How far a process of this host may raise its own; undefined where nothing bounds it, or nobody knows. */
export function openFilesOf(pid: number | 'self'): number | undefined {
  const hard = /^Max open files\s+\S+\s+(\d+)/m.exec(readProc(`/proc/${pid}/limits`))?.[1];
  return hard === undefined ? undefined : Number(hard);
}

function readProc(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // not on this system
  }
}

/**
 * The same command, begun by a shell that holds itself to that and then becomes the program, with no variable more than it was given. It
 * ends with 126 where it cannot be held.
 */
export function heldToOpenFiles(shell: string, { soft, hard }: OpenFiles, argv: Argv): Argv {
  return [shell, '-c', HELD, 'sh', String(soft), String(hard), ...argv];
}

// The soft bound first: it is never above the hard one. Shells set the variables themselves.
const HELD = 'ulimit -S -n "$1" && ulimit -H -n "$2" || exit 126; shift 2; unset PWD OLDPWD SHLVL; exec "$@"';
