import { stat } from 'node:fs/promises';
import { SwitchyardError } from '../error.ts';
import { whichOn } from './which.ts';

/**
 * The argument list with its program as an absolute path, found on the PATH that it will run with. Rejects with
 * `sandbox/cannot-start` when there is no such executable or no such working directory; a launcher in between could not tell that
 * from the program's own failure.
 */
export async function resolveProgram(program: {
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}): Promise<readonly [string, ...string[]]> {
  const [name, ...args] = program.argv;
  if (!(await isFolder(program.cwd))) {
    throw cannotStart(
      `cannot start ${name}: its working directory ${program.cwd} does not exist`,
      'The workspace may have been removed.',
    );
  }
  const path = program.env['PATH'];
  const file = await whichOn(path, program.cwd)(name);
  if (file !== undefined) return [file, ...args];
  const where = name.includes('/')
    ? `there is no executable file at ${name}`
    : `${name} is not on its PATH (${path ?? 'which is not set'})`;
  throw cannotStart(`cannot start ${name}: ${where}`, 'Install it, or correct its name where it is written.');
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false; // not there, or behind a folder that this user may not enter: no program could be started in it
  }
}

function cannotStart(message: string, hint: string): SwitchyardError {
  return new SwitchyardError({ code: 'sandbox/cannot-start', message, hint });
}
