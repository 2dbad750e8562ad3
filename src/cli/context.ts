import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { type Clock, systemClock } from '../lib/clock.ts';

/** What a command may use of the world around it: everything that it would else take from the process. */
export interface CommandContext {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: Readable;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Whether a person sits there: standard input and output are both a terminal. */
  readonly isTerminal: boolean;
  readonly clock: Clock;
  /** The program and arguments that are this command line, to which `server run` is added to start a daemon. */
  readonly self: readonly [string, ...string[]];
  /** Until disposed, these signals call the listener instead of ending the process. */
  onInterrupt(listener: (signal: Interrupt) => void): Disposable;
}

/** Ctrl-C, after which a person may be asked something; the others leave no time for that. */
export type Interrupt = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

const INTERRUPTS: readonly Interrupt[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export function processContext(): CommandContext {
  return {
    cwd: process.cwd(),
    env: process.env,
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    isTerminal: process.stdin.isTTY && process.stdout.isTTY,
    clock: systemClock,
    self: [process.execPath, join(packageFolder(), 'bin', 'switchyard.js')],
    onInterrupt: (listener) => {
      for (const signal of INTERRUPTS) process.on(signal, listener);
      return {
        [Symbol.dispose]: () => {
          for (const signal of INTERRUPTS) process.off(signal, listener);
        },
      };
    },
  };
}

/** The folder of this package: two above this file, in a checkout as in what is published. */
export function packageFolder(): string {
  return join(import.meta.dirname, '..', '..');
}
