import { chown, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { argumentsOf, isAlive, processStart } from '../processes.ts';
import { SOCKET_NAME } from './socket-folder.ts';

/** What `postmaster.pid` in a data folder says about the server that wrote it. */
export interface PostmasterFile {
  readonly pid: number;
  readonly dataFolder: string;
  readonly port: number;
  readonly socketFolder: string;
  /** `starting`, `stopping`, `ready` or `standby`; empty while the server writes the first lines. */
  readonly status: string;
  readonly text: string;
}

/** Undefined when there is no such file, or it is not yet written to the end of its first line. */
export async function readPostmasterFile(dataFolder: string): Promise<PostmasterFile | undefined> {
  const text = await readIfThere(fileIn(dataFolder));
  if (text === undefined) return undefined;
  const lines = text.split('\n');
  const pid = Number(lines[0]);
  if (!(pid > 0)) return undefined;
  const [, folder = '', , port = '', socketFolder = '', , , status = ''] = lines;
  return { pid, dataFolder: folder, port: Number(port), socketFolder, status: status.trim(), text };
}

/** Whether the file's process is a live server of that data folder, and not a stranger that has got its number since. */
export function isServerOf(file: PostmasterFile, dataFolder: string): boolean {
  if (!isAlive({ pid: file.pid })) return false;
  const args = argumentsOf(file.pid);
  // Without /proc the file's word has to do; who relies on it asks the server itself next.
  if (args === undefined) return processStart(file.pid) === undefined && file.dataFolder === dataFolder;
  return args.includes(dataFolder);
}

/** A number that no process can have. */
const NOBODY = 2 ** 31 - 1;

/**
 * PostgreSQL does not start while the pid in a lock file that a killed server left (`postmaster.pid`, or the one beside
 * its socket) belongs to any live process; after a restart of a container it often does. An uncollected zombie has the
 * same effect. Where the process is provably not a server, the pid in the file is replaced by one that nobody has. The
 * file stays: by the key in it PostgreSQL makes sure that no orphan of the old server still uses the data.
 */
export async function disownStalePids(dataFolder: string, socketFolder: string): Promise<void> {
  await disown(fileIn(dataFolder));
  await disown(join(socketFolder, `${SOCKET_NAME}.lock`));
}

async function disown(path: string): Promise<void> {
  const text = await readIfThere(path);
  const pid = Number(text?.split('\n')[0]);
  if (!text || !(pid > 0) || pid === NOBODY || !mayBlock(pid)) return;
  const draft = `${path}.stale`;
  const { uid, gid } = await stat(path);
  await writeFile(draft, text.replace(/^.*/, String(NOBODY)), { mode: 0o600 });
  await chown(draft, uid, gid);
  await rename(draft, path);
}

/** Whether the process is there, and is a zombie or by its arguments something else than PostgreSQL. */
function mayBlock(pid: number): boolean {
  if (processStart(pid) === undefined) return false;
  if (!isAlive({ pid })) return true;
  const args = argumentsOf(pid) ?? [];
  return args.length > 0 && !args.some((argument) => /\bpostgres\b/.test(argument));
}

function fileIn(dataFolder: string): string {
  return join(dataFolder, 'postmaster.pid');
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
