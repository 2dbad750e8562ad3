import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
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

/** A folder on a new file system in an image file; undefined where it cannot be had here. Files of `xfs` and `btrfs` can share contents. */
export async function imageDisk(type: 'xfs' | 'btrfs' | 'ext4', size = '400M'): Promise<TempFolder | undefined> {
  const folder = await tempFolder(`switchyard-${type}`);
  const [image, path] = [join(folder.path, 'image'), join(folder.path, 'disk')];
  try {
    await mkdir(path);
    await run('truncate', ['-s', size, image]);
    await run(`mkfs.${type}`, ['-q', image]);
    await run('mount', ['-o', 'loop', image, path]);
  } catch {
    await folder[Symbol.asyncDispose](); // not root, no such file system, or no loop devices
    return undefined;
  }
  return {
    path,
    async [Symbol.asyncDispose]() {
      await run('umount', ['--lazy', path]);
      await folder[Symbol.asyncDispose]();
    },
  };
}
