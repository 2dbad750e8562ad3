import { type ChildProcess, spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { isLaunchable, launch } from './launcher.ts';
import { type InputFile, isInputFile, type ProgramInput } from './program-input.ts';
import { whichOn } from './which.ts';

export interface ProgramToRun {
  readonly file: string;
  readonly args: readonly string[];
  /** Where it starts; without it, the folder of this process. */
  readonly cwd: string | undefined;
  /** The whole environment; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /** What standard input holds; without it, that is empty. */
  readonly input: ProgramInput | undefined;
  /** Aborting kills the program; the call then rejects with the signal's reason. */
  readonly signal: AbortSignal | undefined;
}

export interface ProgramResult {
  /** Above 128 for a program that a signal ended. */
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/**
 * Runs one of our own programs to its end and returns all that it said. Rejects when it cannot be started or the signal is aborted. For
 * programs that start others, that go on for long or that belong to an agent, see the sandboxes.
 */
export async function runProgram(program: ProgramToRun): Promise<ProgramResult> {
  const { signal } = program;
  signal?.throwIfAborted();
  try {
    return await (isLaunchable(program) ? launched(program) : spawned(program));
  } finally {
    signal?.throwIfAborted();
  }
}

async function launched(program: ProgramToRun): Promise<ProgramResult> {
  const { file, cwd, env } = program;
  const result = await launch(program);
  // These codes are the shell's own where there is no such program, and may be any program's.
  if ((result.code === 127 || result.code === 126) && (await whichOn(env['PATH'], cwd)(file)) === undefined)
    throw new Error(`there is no program ${file} on the PATH`);
  return result;
}

async function spawned(program: ProgramToRun): Promise<ProgramResult> {
  if (!isInputFile(program.input)) return spawnedWith({ ...program, input: program.input });
  await using input = await open(program.input.path);
  return await spawnedWith({ ...program, input });
}

type Held = Exclude<ProgramInput, InputFile> | undefined;

async function spawnedWith({
  file,
  args,
  cwd,
  env,
  input,
  signal,
}: ProgramToRun & { readonly input: Held }): Promise<ProgramResult> {
  const stdio = [standardInput(input), 'pipe', 'pipe'] as const;
  const child = spawn(file, args, { ...(cwd === undefined ? {} : { cwd }), env, stdio: [...stdio] });
  const kill = (): void => void child.kill('SIGKILL');
  signal?.addEventListener('abort', kill, { once: true });
  try {
    const ended = outcome(child);
    if (isText(input)) feed(child, input);
    return await ended;
  } finally {
    signal?.removeEventListener('abort', kill);
  }
}

function standardInput(input: Held): 'ignore' | 'pipe' | number {
  if (input === undefined) return 'ignore';
  return isText(input) ? 'pipe' : input.fd;
}

function isText(input: Held): input is string | Uint8Array {
  return typeof input === 'string' || input instanceof Uint8Array;
}

function feed(child: ChildProcess, input: string | Uint8Array): void {
  // A program that ends before it has read everything says why itself, by its exit code.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(input);
}

function outcome(child: ChildProcess): Promise<ProgramResult> {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      resolve({ code: code ?? 137, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() });
    });
  });
}
