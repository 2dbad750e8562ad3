import { mkdir, readdir, rm } from 'node:fs/promises';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { deadOwnerOf, makeScratchFolder, type ScratchFolder } from '../../lib/scratch-folder.ts';

/** A unix socket's path has 108 bytes on Linux and 104 on macOS, the closing zero included. */
const SOCKET_LIMIT = 100;
/** What `mkdtemp` and the name of a socket take, with a slash. */
const REST = 'XXXXXX/65535'.length;

/** How the folders of sockets are to begin: in `folder`, or in the temporary folder where their paths would be too long. */
export function socketPrefix(folder: string): string {
  const wanted = join(folder, 'e-');
  return Buffer.byteLength(wanted) + REST < SOCKET_LIMIT ? wanted : join(tmpdir(), 'switchyard-egress-');
}

/** Makes a folder for this user alone. */
export async function makeSocketFolder(prefix: string): Promise<ScratchFolder> {
  try {
    return await makeScratchFolder(prefix);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    await mkdir(dirname(prefix), { recursive: true, mode: 0o700 });
    return makeScratchFolder(prefix);
  }
}

/** Removes what processes have left that ended without disposing. */
export async function clearLeftFolders(prefix: string): Promise<void> {
  const names = await readdir(dirname(prefix)).catch(() => []);
  const left = names.filter((name) => name.startsWith(basename(prefix))).map((name) => join(dirname(prefix), name));
  await Promise.all(
    left.map(async (path) => {
      if ((await deadOwnerOf(path)) !== undefined) await rm(path, { recursive: true, force: true });
    }),
  );
}

/** A server that listens, on a socket of that path or on a port. Disposing ends it with all its connections. */
export async function listen(
  server: Server,
  at: string | { readonly host: string; readonly port: number },
): Promise<AsyncDisposable> {
  const connections = new Set<{ destroy(): void }>();
  server.on('connection', (socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(typeof at === 'string' ? { path: at } : at, resolve);
  await promise;
  server.off('error', reject);
  // Accepting may fail for a moment, for instance where the process has too many files open.
  server.on('error', () => undefined);
  return {
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const connection of connections) connection.destroy();
      await closed;
    },
  };
}
