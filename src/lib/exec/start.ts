import { PassThrough, type Readable, type Writable } from 'node:stream';
import { begin } from './begin.ts';
import type { Begin, End, ProgramToBegin } from './begun-process.ts';

export interface ProgramToStart extends ProgramToBegin {
  /** Text for standard input, which is closed after it; without it, standard input is empty. */
  readonly input?: string | undefined;
}

export interface StartedProcess {
  readonly pid: number;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** What the program writes to descriptor 3; undefined unless asked for. Whoever asked for it reads it to its end or destroys it. */
  readonly status: Readable | undefined;
  /** Leads to the gate; undefined unless asked for. Whoever asked for it ends or destroys it. */
  readonly gate: Writable | undefined;
  /** Settles when the program itself has ended, while others may still hold its output open; never rejects. */
  readonly ended: Promise<End>;
  /** Settles after `ended`, when all its pipes are closed too; never rejects. Somebody has to read the output for that. */
  readonly closed: Promise<void>;
}

/**
 * Starts a program as the leader of a session of its own, so that no terminal's Ctrl-C reaches it. Rejects with the system's
 * error when it cannot be started. The caller ends it; nothing here does.
 */
export async function startProcess(program: ProgramToStart, by: Begin = begin): Promise<StartedProcess> {
  const { pid, stdin, stdout, stderr, status, gate, ended, closed } = await by(program);
  gate?.resume().on('error', () => undefined); // a program may end without having waited
  stdin.on('error', () => undefined); // or without reading its input
  stdin.end(program.input ?? '');
  return {
    pid,
    stdin,
    stdout: kept(stdout),
    stderr: kept(stderr),
    status: status && kept(status),
    gate,
    ended,
    closed,
  };
}

/** The same output, kept for whoever reads it later: Node throws away what nobody has begun to read when the child ends. */
function kept(output: Readable): Readable {
  const copy = new PassThrough();
  // A pipe that breaks ends the copy; how the program ended is told by its exit.
  output.on('error', () => undefined).once('close', () => copy.end());
  copy.once('close', () => output.destroy());
  output.pipe(copy);
  return copy;
}
