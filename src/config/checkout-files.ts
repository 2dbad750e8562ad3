import { constants } from 'node:fs';
import { type FileHandle, open, readdir, realpath } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';

/** Reading a checkout that anybody may have filled: nothing outside of it is read, nothing blocks, nothing is unbounded. */

export const MAX_BYTES = 1024 * 1024;
const MAX_DEPTH = 3;
const MAX_ENTRIES = 2000;

/** Paths within `root` of the files and links below `folder`, to a bounded depth and number. Links to folders are not entered. */
export async function listCheckout(root: string, folder: string): Promise<string[]> {
  const found: string[] = [];
  const waiting = [{ path: folder, depth: 0 }];
  for (let next = waiting.pop(); next !== undefined && found.length < MAX_ENTRIES; next = waiting.pop()) {
    if ((await insidePath(root, next.path)) === undefined) continue;
    const entries = await readdir(join(root, next.path), { withFileTypes: true }).catch(nothingThere);
    for (const entry of entries.slice(0, MAX_ENTRIES)) {
      const path = `${next.path}/${entry.name}`;
      if (!entry.isDirectory()) found.push(path);
      else if (next.depth < MAX_DEPTH) waiting.push({ path, depth: next.depth + 1 });
    }
  }
  return found;
}

/** The text of a regular file. Rejects, or says in `refused` why it is not read: a link that leads out, a device, too large, not UTF-8. */
export async function readInside(root: string, path: string): Promise<string | { refused: string }> {
  const target = await insidePath(root, path);
  if (target === undefined) return { refused: 'it is a link that leads out of the repository, or nowhere' };
  await using file = await open(target, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  const { size } = await regular(file);
  if (size === undefined) return { refused: 'it is not a regular file' };
  if (size > MAX_BYTES) return { refused: `it is larger than ${MAX_BYTES / 1024} KiB` };
  return decoded(file, size);
}

/** Where the path really is, when that is within the root. */
async function insidePath(root: string, path: string): Promise<string | undefined> {
  const [realRoot, target] = await Promise.all([realpath(root), realpath(join(root, path)).catch(() => undefined)]);
  if (target === undefined) return undefined;
  const within = relative(realRoot, target);
  return within === '..' || within.startsWith(`..${sep}`) ? undefined : target;
}

async function regular(file: FileHandle): Promise<{ size: number | undefined }> {
  const found = await file.stat();
  return { size: found.isFile() ? found.size : undefined };
}

async function decoded(file: FileHandle, size: number): Promise<string | { refused: string }> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(size), 0, size, 0);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(buffer.subarray(0, bytesRead));
  } catch {
    return { refused: 'it is not text in UTF-8' };
  }
}

function nothingThere(): [] {
  return [];
}
