import { basename } from 'node:path';

/** Shells that end with an error where they cannot give the terminal back to whoever had it before. */
const STRICT: ReadonlySet<string> = new Set(['sh', 'dash', 'ash']);

/**
 * Has such a shell begin a second one of its kind, for the person, as a job of its own. Within walls that have process numbers of their own
 * the command line's process group is unseen, so the first has nobody to give the terminal back to, and would say so at its end ("Cannot set
 * tty process group"); what it says goes nowhere. The second gives it back to its own job. Other shells are started as they are.
 */
export function interactiveShell(shell: string): readonly [string, ...string[]] {
  return STRICT.has(basename(shell)) ? [shell, '-c', AS_A_JOB, shell] : [shell];
}

const AS_A_JOB = 'exec 9>&2 2>/dev/null; set -m; "$0" 2>&9 9>&-';
