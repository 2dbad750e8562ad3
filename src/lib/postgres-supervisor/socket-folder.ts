import { createHash } from 'node:crypto';
import { chmod, chown, lstat, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf, SwitchyardError } from '../error.ts';
import type { Account } from './account.ts';

/** What the kernel takes as the path of a socket is little over 100 bytes. */
const LONGEST = 100;
export const PORT = 5432;
/** As the server names it; each has a folder of its own, so the number is always the same. */
export const SOCKET_NAME = `.s.PGSQL.${PORT}`;

/**
 * Makes the folder for the server's socket, for its owner only, and returns it: `wanted`, or where its path is too
 * long, one with a short path in a place for temporary files. Who may enter it may use the database. Throws
 * `database/no-socket-folder`, also when the short path belongs to somebody else.
 */
export async function makeSocketFolder(wanted: string, account: Account): Promise<string> {
  const candidates = fits(wanted) ? [wanted] : shortFolders(wanted).filter(fits);
  let cause: unknown = new Error('every path is too long');
  for (const folder of candidates) {
    try {
      await makePrivate(folder, account);
      return folder;
    } catch (error) {
      cause = error;
    }
  }
  throw new SwitchyardError({
    code: 'database/no-socket-folder',
    message: `no folder for the database's socket: ${messageOf(cause)}`,
    hint: 'Choose a home with a shorter path, or set TMPDIR to a folder that is yours.',
    cause,
  });
}

/** The temporary folder comes first: the runtime folder vanishes when its user logs out, the server stays. */
function shortFolders(wanted: string): string[] {
  const name = `pg-${createHash('sha256').update(wanted).digest('hex').slice(0, 16)}`;
  const { XDG_RUNTIME_DIR: runtime } = process.env;
  return [tmpdir(), '/tmp', ...(runtime ? [runtime] : [])].map((parent) => join(parent, name));
}

function fits(folder: string): boolean {
  return Buffer.byteLength(join(folder, SOCKET_NAME)) <= LONGEST;
}

/** A folder that is there is used only if nobody else could have put it there for us. */
async function makePrivate(folder: string, { ids }: Account): Promise<void> {
  await mkdir(folder, { mode: 0o700 }).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  });
  const found = await lstat(folder);
  const mine = process.getuid?.();
  if (!found.isDirectory() || (mine !== undefined && found.uid !== mine && found.uid !== ids?.uid)) {
    throw new Error(`${folder} is not a folder of this user`);
  }
  await chmod(folder, 0o700);
  if (ids && found.uid !== ids.uid) await chown(folder, ids.uid, ids.gid);
}
