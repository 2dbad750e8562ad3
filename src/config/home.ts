import { lstat, mkdir } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';
import { SwitchyardError } from '../lib/error.ts';
import type { Home } from '../lib/home.ts';
import { spreadFolders } from '../lib/spread-folders.ts';

/**
 * Makes the folders of a home that are missing, each for this user alone; what exists keeps its permissions, since the folder
 * named may be anybody's. The database makes its own. Rejects with `home/unsafe-socket-folder` when the socket has to lie outside of
 * the home and another user could reach it there.
 */
export async function ensureHome(home: Home): Promise<void> {
  const folders = [home.folder, home.repositories, home.bases, home.workspaces, home.blobs, home.sockets, home.walls];
  for (const folder of folders) await mkdir(folder, { recursive: true, mode: 0o700 });
  await spreadFolders(home.workspaces);
  const socketFolder = dirname(home.socket);
  if (socketFolder !== home.folder) await ensurePrivate(socketFolder);
}

/** In a shared temporary folder somebody else may have made the folder first, or put a link there. */
async function ensurePrivate(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const found = await lstat(folder);
  if (found.isDirectory() && found.uid === userInfo().uid && (found.mode & 0o077) === 0) return;
  throw new SwitchyardError({
    code: 'home/unsafe-socket-folder',
    message: `${folder} is not a folder that only you can enter, and the daemon's socket would lie there`,
    hint: 'Set XDG_RUNTIME_DIR to a folder with mode 0700, or SWITCHYARD_HOME to a shorter path.',
  });
}
