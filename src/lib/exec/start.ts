import { spawn } from 'node:child_process';
import { type Duplex, PassThrough, pipeline, type Readable, type Writable } from 'node:stream';

export interface ProgramToStart {
  /** Absolute, or relative to `cwd`; looked up nowhere. */
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** The whole environment; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /** Text for standard input, which is closed after it; without it, standard input is empty. */
  readonly input?: string | undefined;
  /** Opens a pipe at descriptor 3 on which the program may report. */
  readonly statusPipe?: boolean;
  /** Open files of ours that it gets as descriptors 4, 5, …; they can be closed here when the call has settled. */
  readonly descriptors?: readonly number[];
  /** Opens a pipe at the descriptor behind those, on which the program may be told something. */
  readonly gate?: boolean;
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
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  /** Settles after `ended`, when all its pipes are closed too; never rejects. Somebody has to read the output for that. */
  readonly closed: Promise<void>;
}

/**
 * Starts a program as the leader of a session of its own, so that no terminal's Ctrl-C reaches it. Rejects with the system's
 * error when it cannot be started. The caller ends it; nothing here does.
 */
export async function startProcess(program: ProgramToStart): Promise<StartedProcess> {
  const { descriptors = [], statusPipe = false, gate: isGated = false } = program;
  const behind = [...descriptors, ...(isGated ? (['pipe'] as const) : [])];
  const atThree = behind.length > 0 || statusPipe ? [statusPipe ? ('pipe' as const) : ('ignore' as const)] : [];
  const child = spawn(program.file, program.args, {
    cwd: program.cwd,
    env: program.env,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe', ...atThree, ...behind],
  });
  const ended = new Promise<Awaited<StartedProcess['ended']>>((settle) => {
    child.once('exit', (code, signal) => settle({ code, signal }));
  });
  const closed = new Promise<void>((settle) => {
    child.once('close', () => settle());
  });
  const [stdin, ...outputs] = child.stdio.slice(0, 4) as unknown as [Writable, ...(Readable | null)[]];
  const [stdout, stderr, status] = outputs.map((output) => (output === null ? undefined : kept(output)));
  const gate = isGated ? (child.stdio.at(-1) as Duplex).resume() : undefined;
  gate?.on('error', () => undefined); // a program may end without having waited
  if (stdout === undefined || stderr === undefined) throw new Error('a child process without pipes');
  await new Promise((settle, reject) => child.once('spawn', settle).once('error', reject));
  if (child.pid === undefined) throw new Error('a child process without a number');
  stdin.on('error', () => undefined); // a program may end without reading its input
  stdin.end(program.input ?? '');
  return { pid: child.pid, stdin, stdout, stderr, status, gate, ended, closed };
}

/** The same output, kept for whoever reads it later: Node throws away what nobody has begun to read when the child ends. */
function kept(output: Readable): Readable {
  const copy = new PassThrough();
  // A pipe that breaks ends the copy; how the program ended is told by its exit.
  pipeline(output, copy, () => copy.end());
  return copy;
}
