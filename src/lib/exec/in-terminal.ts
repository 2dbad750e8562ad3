import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
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
   * Called once it runs, with its pid and, where it `reports`, the line that it wrote to descriptor 3. When this rejects, the program is
   * killed.
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
  const [file, ...args] = program.argv;
  const reporting = program.reports === true ? (['pipe'] as const) : [];
  const child = spawn(file, args, {
    cwd: program.cwd,
    env: program.env,
    stdio: ['inherit', program.quiet === true ? 2 : 'inherit', 'inherit', ...reporting],
  });
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? 128 + numberOf(signal)));
  });
  ended.catch(() => undefined); // told below
  program.onSpawned?.((signal) => void child.kill(signal));
  const report = program.reports === true ? await firstLine(child.stdio[3] as Readable) : '';
  (child.stdio[3] as Readable | undefined)?.resume();
  if (child.pid !== undefined && report !== undefined) {
    try {
      await program.onStarted?.(child.pid, report);
    } catch (error) {
      child.kill('SIGKILL');
      await ended;
      throw error;
    }
  }
  return ended;
}

function numberOf(signal: NodeJS.Signals | null): number {
  return signal === null ? 0 : (constants.signals[signal] ?? 0);
}
