import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Workspace } from '../../ports/workspace.ts';

/** Larger files, and those beyond so much in all, are told apart by size and time. */
const MAX_FILE = 256 * 1024;
const MAX_READ = 32 * 1024 * 1024;

/** A text that is the same as long as the files that differ from the commit hold the same. Follows no link and runs nothing. */
export async function workspaceState(workspace: Workspace, commit: string): Promise<string> {
  const hash = createHash('sha1');
  let read = 0;
  for (const path of await workspace.changedSince(commit)) {
    const content = await contentOf(join(workspace.folder, path), Math.min(MAX_FILE, MAX_READ - read));
    read += content.length;
    hash.update(`${path}\0`).update(content).update('\0');
  }
  return hash.digest('hex');
}

/** Files come and go while the agent works, and need not be files: a pipe must not be waited for. */
async function contentOf(file: string, most: number): Promise<string | Buffer> {
  try {
    await using handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const found = await handle.stat();
    if (!found.isFile() || found.size > most) return `${found.size} ${found.mtimeMs}`;
    return (await handle.read(Buffer.alloc(found.size), 0, found.size, 0)).buffer;
  } catch {
    return readlink(file).catch(() => 'unreadable');
  }
}
