import { copyFile, glob, lstat, mkdir, readdir, readlink, symlink } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Copies files that match the globs from one folder to the same places in another, where nothing is there yet. A symbolic link is
 * copied as a link; none is followed on either side, and nothing in a `.git` is touched. A matching folder stands for all within.
 * Returns one sentence for each file that could not be copied.
 */
export async function copyFiles(from: string, to: string, globs: readonly string[]): Promise<string[]> {
  const notes: string[] = [];
  for (const pattern of globs) {
    for await (const path of glob(pattern, { cwd: from, exclude: (name) => parts(name).includes('.git') })) {
      if (parts(path).includes('.git') || parts(path).includes('..') || path.startsWith('/')) continue;
      await copyPath({ from, to, path, notes });
    }
  }
  return notes;
}

interface Copy {
  readonly from: string;
  readonly to: string;
  /** Relative to both. */
  readonly path: string;
  readonly notes: string[];
}

async function copyPath(copy: Copy): Promise<void> {
  const { from, to, path, notes } = copy;
  if (!(await hasRealParents(from, path))) return;
  const source = await lstat(join(from, path)).catch(() => undefined);
  if (source?.isDirectory()) {
    for (const name of await readdir(join(from, path))) {
      if (name !== '.git') await copyPath({ ...copy, path: join(path, name) });
    }
    return;
  }
  if ((await lstat(join(to, path)).catch(() => undefined)) !== undefined) return;
  if (!(await makeParents(to, path))) {
    notes.push(`${path} was not copied: there is no real folder for it in the workspace.`);
  } else if (source?.isSymbolicLink()) {
    await symlink(await readlink(join(from, path)), join(to, path));
  } else if (source?.isFile()) {
    await copyFile(join(from, path), join(to, path));
  }
}

/** Whether all folders above the path are folders, not links. */
async function hasRealParents(root: string, path: string): Promise<boolean> {
  for (const folder of above(path)) {
    if (!(await lstat(join(root, folder)).catch(() => undefined))?.isDirectory()) return false;
  }
  return true;
}

async function makeParents(root: string, path: string): Promise<boolean> {
  for (const folder of above(path)) {
    const present = await lstat(join(root, folder)).catch(() => undefined);
    if (present === undefined) await mkdir(join(root, folder));
    else if (!present.isDirectory()) return false;
  }
  return true;
}

function above(path: string): string[] {
  const names = parts(path).slice(0, -1);
  return names.map((_, n) => names.slice(0, n + 1).join('/'));
}

function parts(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}
