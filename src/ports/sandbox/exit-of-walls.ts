import { constants } from 'node:os';
import type { Exit } from '../sandbox.ts';

/** Signals that end programs in practice. Others are left out: 129 is also git's and many others' own code for wrong usage. */
const FATAL = new Set<string>([
  'SIGINT',
  'SIGQUIT',
  'SIGILL',
  'SIGTRAP',
  'SIGABRT',
  'SIGBUS',
  'SIGFPE',
  'SIGKILL',
  'SIGSEGV',
  'SIGPIPE',
  'SIGTERM',
  'SIGXCPU',
  'SIGXFSZ',
  'SIGSYS',
]);

const SIGNAL_OF_CODE = new Map(
  Object.entries(constants.signals).flatMap(([name, number]) =>
    FATAL.has(name) ? [[128 + number, name] as const] : [],
  ),
);

/** An init reports a program that a signal ended as 128 + its number, as shells do; this turns that back. */
export function exitOfWalls(exit: Exit): Exit {
  const signal = exit.code === null ? undefined : SIGNAL_OF_CODE.get(exit.code);
  return signal === undefined ? exit : { code: null, signal };
}
