import { messageOf, SwitchyardError } from '../error.ts';
import type { ProgramInput } from '../exec/program-input.ts';
import { type ProgramResult, runProgram } from '../exec/run-program.ts';
import { type GitFlavour, gitEnvironment } from './environment.ts';

/**
 * Runs git. Every path that goes in or comes out is NUL-separated, so that any file name works. The flavour says whose
 * configuration counts: `harness` (ours alone, the default) or `user` (a person's repository, by their rules but without their hooks).
 */
export interface GitOptions {
  /** Where git starts; without it, the folder of this process. */
  readonly cwd?: string;
  readonly gitDir?: string;
  readonly workTree?: string;
  readonly flavour?: GitFlavour;
  /** On top of the flavour's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** On top of the flavour's configuration, for this command alone. */
  readonly config?: Readonly<Record<string, string>>;
  /** What standard input holds; without it, that is empty. */
  readonly input?: ProgramInput;
  /** Aborting ends the command; the call then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

export type GitResult = ProgramResult;

/** Runs git and returns what it said, whatever the exit code. Rejects when git cannot be started or the signal is aborted. */
export async function runGit(args: readonly string[], options: GitOptions = {}): Promise<GitResult> {
  const { cwd, input, signal } = options;
  try {
    return await runProgram({ file: 'git', args, cwd, env: gitEnvironment(options), input, signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw cannotStart(error);
  }
}

/** Like `runGit`, for a command that has to succeed: `git/failed`, or `git/disk-full` where the disk was full. */
export async function git(args: readonly string[], options: GitOptions = {}): Promise<Buffer> {
  const result = await runGit(args, options);
  if (result.code !== 0) throw gitError(args, result);
  return result.stdout;
}

/** The output as one line of text, without the line end. */
export async function gitLine(args: readonly string[], options: GitOptions = {}): Promise<string> {
  return (await git(args, options)).toString().replace(/\n$/, '');
}

/** The fields of a NUL-separated output, as text. */
export function splitNul(output: Buffer | string): string[] {
  const fields = output.toString().split('\0');
  if (fields.at(-1) === '') fields.pop();
  return fields;
}

/** The error for a command that ended badly. */
export function gitError(args: readonly string[], result: { code: number; stderr: string }): SwitchyardError {
  const tail = result.stderr.trim().slice(-2000);
  const name = args.find((arg) => !arg.startsWith('-')) ?? '';
  if (isDiskFull(result.stderr)) {
    return new SwitchyardError({
      code: 'git/disk-full',
      message: `git ${name}: no space left on the disk\n${tail}`,
      hint: 'Free some space, then try again.',
      retry: 'backoff',
    });
  }
  return new SwitchyardError({
    code: 'git/failed',
    message: `git ${name} ended with ${result.code}: ${tail}`,
    hint: 'The message above is from git itself.',
  });
}

/** Git has no exit code for a full disk; in the C locale this is what the system calls it. */
function isDiskFull(stderr: string): boolean {
  return /No space left on device|Disk quota exceeded/.test(stderr);
}

function cannotStart(cause: unknown): SwitchyardError {
  return new SwitchyardError({
    code: 'git/cannot-start',
    message: `git could not be started: ${messageOf(cause)}`,
    hint: 'Install git 2.38 or later and see that it is on the PATH.',
    cause,
  });
}
