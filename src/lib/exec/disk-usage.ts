import { runProgram } from './run-program.ts';

/**
 * What folders take up on the disk, in bytes, as `du` counts it; those that are not there take up nothing, and what else is mounted
 * within them does not count. Undefined without `du`, and when aborted.
 */
export async function diskUsage(folders: readonly string[], signal?: AbortSignal): Promise<number | undefined> {
  if (folders.length === 0) return 0;
  try {
    const env = { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C' };
    const args = ['-s', '-k', '-x', '--', ...folders];
    // It ends badly when a folder is missing or changes meanwhile, and counts the others all the same.
    const { stdout } = await runProgram({ file: 'du', args, cwd: '/', env, input: undefined, signal });
    const lines = stdout
      .toString()
      .split('\n')
      .filter((line) => line !== '');
    return lines.reduce((sum, line) => sum + 1024 * Number.parseInt(line, 10), 0);
  } catch {
    return undefined;
  }
}
