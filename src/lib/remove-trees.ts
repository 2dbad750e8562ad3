import { lowPriority } from './exec/low-priority.ts';
import { runOwn } from './exec/own-program.ts';

/**
 * Removes files and folders with all that is in them; what is not there is fine. No link is followed, also where somebody puts one in the
 * place of a folder meanwhile. `quiet` makes room for others. Rejects with what could not be removed.
 */
export async function removeTrees(
  paths: readonly string[],
  { quiet = false, signal }: { quiet?: boolean; signal?: AbortSignal } = {},
): Promise<void> {
  if (paths.length === 0) return;
  const [file = 'rm', ...args] = [...(quiet ? await lowPriority() : []), 'rm', '-rf', '--', ...paths];
  const { code, stderr } = await runOwn(file, args, { signal });
  if (code !== 0) throw new Error(stderr.trim().slice(-2000) || `rm ended with ${code}`);
}
