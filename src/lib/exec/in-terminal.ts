import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Duplex } from 'node:stream';
import { firstLine } from './first-line.ts';

export interface TerminalProgram {
  /** Absolute, or found on this process's PATH. */
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  /** The whole environment; nothing is inherited. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What it writes to standard output goes to standard error. */
  readonly quiet?: boolean;
  /**
   * Called with its pid. A program that `reports` runs by then, and has written the line to descriptor 3 that is handed on; any other is let
   * begin only when this has resolved, and never if this process dies before. When this rejects, the program is killed.
   */
  readonly onStarted?: (pid: number, report: string) => Promise<void>;
  readonly reports?: boolean;
  /** Sends it a signal; it then ends or does not. */
  readonly onSpawned?: (kill: (signal: NodeJS.Signals) => void) => void;
}

/**
 * Runs a program with this process's own standard streams, in its process group, so that the terminal is the program's. Resolves to its
 * exit code, 128 and the signal's number for one that a signal ended. Rejects when it cannot be started.
 */
export async function runInTerminal(program: TerminalProgram): Promise<number> {
  const child = start(program);
  const ended = endOf(child);
  program.onSpawned?.((signal) => void child.kill(signal));
  const channel = child.stdio[3] as Duplex | undefined;
  if (channel === undefined || child.pid === undefined) return ended;
  channel.on('error', () => undefined); // it has ended: its exit says how
  const report = program.reports === true ? await firstLine(channel) : '';
  channel.resume();
  if (report === undefined) return ended;
  try {
    await program.onStarted?.(child.pid, report);
  } catch (error) {
    child.kill('SIGKILL');
    await ended;
    throw error;
  }
  if (program.reports !== true) channel.end('\n');
  return ended;
}

/** With a channel at descriptor 3 where it reports, or is to be let begin. */
function start({ argv, cwd, env, quiet, reports = false, onStarted }: TerminalProgram): ChildProcess {
  const isHeld = !reports && onStarted !== undefined;
  const [file, ...args] = isHeld ? (['/bin/sh', '-c', HELD, ...argv] as const) : argv;
  const channels = reports || isHeld ? (['pipe'] as const) : [];
  return spawn(file, args, {
    cwd,
    env,
    stdio: ['inherit', quiet === true ? 2 : 'inherit', 'inherit', ...channels],
  });
}

function endOf(child: ChildProcess): Promise<number> {
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? 128 + numberOf(signal)));
  });
  ended.catch(() => undefined); // told to whoever waits for it
  return ended;
}

/** Becomes the program, with the same pid, once it is told to; the end of whoever would tell it is its own. */
const HELD = 'read -r _ <&3 || exit 1; exec "$0" "$@" 3<&-';

function numberOf(signal: NodeJS.Signals | null): number {
  return signal === null ? 0 : (constants.signals[signal] ?? 0);
}
