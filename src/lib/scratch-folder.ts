import { lstat, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deadOwner, ownMark } from './owner-mark.ts';

/** A folder for passing use. Disposing removes it, with everything in it. */
export interface ScratchFolder extends AsyncDisposable {
  readonly path: string;
  /** It is for somebody else from now on: neither disposing nor anybody who looks for what the dead have left removes it. */
  keep(): Promise<void>;
}

/** In the folder, so that a later process can tell whether the one that made it still lives. */
const MARK = '.switchyard-scratch.json';

/** Makes a folder whose path begins with `prefix`, for this user alone. */
export async function makeScratchFolder(prefix: string): Promise<ScratchFolder> {
  const path = await mkdtemp(prefix);
  await writeFile(join(path, MARK), `${ownMark()}\n`, { mode: 0o600 });
  let isKept = false;
  return {
    path,
    async keep() {
      isKept = true;
      await rm(join(path, MARK), { force: true });
    },
    async [Symbol.asyncDispose]() {
      if (!isKept) await rm(path, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/**
 * The process that made a scratch folder and has ended since. Undefined for a folder that is none, was kept, belongs to another user, or
 * whose maker lives or cannot be looked for from here.
 */
export async function deadOwnerOf(path: string): Promise<number | undefined> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isDirectory() !== true || found.uid !== process.getuid?.()) return undefined;
  const mark = await readFile(join(path, MARK), 'utf8').catch(() => undefined);
  return mark === undefined ? undefined : deadOwner(mark);
}
