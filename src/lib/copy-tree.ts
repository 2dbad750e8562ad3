import { chmod, stat } from 'node:fs/promises';
import { lowPriority } from './exec/low-priority.ts';
import { runOwn } from './exec/own-program.ts';

/**
 * Copies what is in a folder into another that exists, with modes, times and links, and leaves alone what is there already, the mode of the
 * other folder included. `clone` shares
 * the contents on the disk until one of the two is changed, and fails where the file system cannot do that. `quiet` makes room for others meanwhile.
 * Rejects with what `cp` said.
 */
export async function copyTree(
  from: string,
  to: string,
  { clone, quiet = false, signal }: { clone: boolean; quiet?: boolean; signal: AbortSignal },
): Promise<void> {
  const { mode } = await stat(to);
  const options = OPTIONS[process.platform === 'darwin' ? 'mac' : 'gnu'][clone ? 'clone' : 'copy'];
  const args = [...options, '--', `${from}/.`, to];
  const [file = 'cp', ...rest] = [...(quiet ? await lowPriority() : []), 'cp', ...args];
  const { code, stderr } = await runOwn(file, rest, { signal });
  await chmod(to, mode);
  const complaints = stderr.split('\n').filter((line) => line !== '' && !SKIPPED.test(line));
  // Some versions end badly when they have left a file alone, as they were told to.
  if (code === 0 || (complaints.length === 0 && SKIPPED.test(stderr))) return;
  throw new CannotCopy(complaints.join('\n').slice(-2000) || `cp ended with ${code}`);
}

/** Whether it was the disk being full that an operation on files failed for. */
export function isDiskFull(error: unknown): boolean {
  if (error instanceof CannotCopy) return /No space left on device|Disk quota exceeded/.test(error.message);
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}

class CannotCopy extends Error {}

const SKIPPED = /not replacing /;

const OPTIONS = {
  gnu: { clone: ['-a', '-n', '--reflink=always'], copy: ['-a', '-n', '--reflink=auto'] },
  mac: { clone: ['-R', '-p', '-P', '-n', '-c'], copy: ['-R', '-p', '-P', '-n'] },
} as const;
