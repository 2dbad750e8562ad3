import { mkdir, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runOwn } from '../../../src/lib/exec/own-program.ts';
import { mountsBelow, unmount } from '../../../src/lib/mounts.ts';
import { imageDisk } from '../../../src/testing/small-disk.ts';
import { type TempFolder, tempFolder } from '../../../src/testing/temp-repository.ts';

/**
 * A folder for hundreds of thousands of files that everybody may enter. Where it can be, a disk in an image file: that goes at once, while
 * removing so many files would take minutes, and it is as fresh in every run.
 */
export async function largeFolder(size: string): Promise<TempFolder> {
  const disk = process.geteuid?.() === 0 ? await imageDisk('ext4', size) : undefined;
  return forAll(disk ?? (await tempFolder('switchyard-bench')));
}

/** A disk whose files can share their contents, for everybody; undefined where none can be had. */
export async function reflinkDisk(size: string): Promise<TempFolder | undefined> {
  if (process.geteuid?.() !== 0) return undefined;
  const disk = (await imageDisk('xfs', size)) ?? (await imageDisk('btrfs', size));
  return disk && forAll(disk);
}

/** Disposing takes down first what is mounted in it. */
async function forAll(folder: TempFolder): Promise<TempFolder> {
  const { path } = folder;
  for (const part of [path, join(path, '..')]) if (part !== tmpdir()) await runOwn('chmod', ['755', part]);
  return {
    path,
    async [Symbol.asyncDispose]() {
      for (const mount of mountsBelow(path)) if (mount.path !== path) await unmount(mount.path);
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** What the folder's files take up. Files that share their contents look as large as others do. */
export async function bytesOf(folder: string): Promise<number> {
  const { stdout } = await runOwn('du', ['-sx', '--block-size=1', '--', folder]);
  return Number(stdout.toString().split('\t', 1)[0]);
}

/** What is in use on the disk on which the folder lies. */
export async function usedOn(folder: string): Promise<number> {
  await runOwn('sync', ['-f', folder]);
  const { blocks, bfree, bsize } = await statfs(folder);
  return (blocks - bfree) * bsize;
}

/** A folder of its own in another one. */
export async function folderIn(folder: string, name: string): Promise<string> {
  const path = join(folder, name);
  await mkdir(path, { recursive: true });
  return path;
}
