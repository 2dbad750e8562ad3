import { SwitchyardError } from '../error.ts';
import { runProgram } from './run-program.ts';

/** Runs the system's `tar`; rejects with `tar/failed` and what it said. */
export async function runTar(args: readonly string[], signal: AbortSignal): Promise<void> {
  const env = { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C' };
  const result = await runProgram({ file: 'tar', args, cwd: '/', env, input: undefined, signal }).catch(
    (error: unknown) => {
      signal.throwIfAborted();
      throw failed('it could not be started', error);
    },
  );
  if (result.code !== 0) throw failed(result.stderr.trim().slice(-1000));
}

function failed(why: string, cause?: unknown): SwitchyardError {
  return new SwitchyardError({
    code: 'tar/failed',
    message: `tar did not do it: ${why}`,
    hint: 'See that tar is installed, that the disk has room and the file is readable; then try again.',
    cause,
  });
}
