import { randomUUID } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { open, rename, rm, writeFile } from 'node:fs/promises';

/**
 * Files of ours that lie where programs which are not ours may have been: whatever has the name may be a link to somewhere else, or a
 * pipe. Nothing is read or written through either.
 */

/** The text of a regular file; undefined where there is none, also where a link, a pipe or a folder has its name. */
export async function readOwnFile(file: string): Promise<string | undefined> {
  try {
    await using handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stat: Stats = await handle.stat();
    return stat.isFile() ? await handle.readFile('utf8') : undefined;
  } catch {
    return undefined; // not there, or a link
  }
}

/** Puts a file, whole or not at all, in the place of whatever has its name but a folder. */
export async function putOwnFile(file: string, content: string | Uint8Array): Promise<void> {
  const draft = `${file}.${randomUUID()}.draft`;
  try {
    await writeFile(draft, content, { flag: 'wx' });
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
