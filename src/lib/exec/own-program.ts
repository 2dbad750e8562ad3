import { type ProgramResult, runProgram } from './run-program.ts';

export interface OwnProgram {
  /** Without it, the root folder. */
  readonly cwd?: string;
  readonly signal?: AbortSignal | undefined;
}

/** Runs a program of the system on the harness's behalf: found on our PATH, with nothing else of our environment, in the C locale. */
export function runOwn(
  file: string,
  args: readonly string[],
  { cwd = '/', signal }: OwnProgram = {},
): Promise<ProgramResult> {
  const env = { PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };
  return runProgram({ file, args, cwd, env, input: undefined, signal });
}
