import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type TempFolder, tempFolder } from './temp-repository.ts';

const run = promisify(execFile);

/** A folder on a disk of its own that is soon full; undefined where this user may not mount one. It removes itself. */
export async function smallDisk(size = '300k'): Promise<TempFolder | undefined> {
  const folder = await tempFolder('switchyard-small-disk');
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder.path]);
  } catch {
    await folder[Symbol.asyncDispose](); // not root, or a container without the right to mount
    return undefined;
  }
  return {
    path: folder.path,
    async [Symbol.asyncDispose]() {
      await run('umount', ['--lazy', folder.path]);
      await folder[Symbol.asyncDispose]();
    },
  };
}
