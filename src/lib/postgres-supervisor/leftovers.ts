import { access, lstat, realpath } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { acquireExclusiveLock } from '../exclusive-lock.ts';
import { isThere } from '../is-there.ts';
import { isWorkedIn } from '../process-traces.ts';
import { isAlive, processStart } from '../processes.ts';
import { urlOf } from './bring-up.ts';
import { isServerOf, readPostmasterFile } from './postmaster-file.ts';
import { stopServer } from './process.ts';
import { SOCKET_NAME } from './socket-folder.ts';

/** A server that runs on, although the process that kept it has died. */
export interface LeftServer {
  readonly pid: number;
  readonly url: string;
  /** Ends it in good order, unless somebody has taken charge of it meanwhile; false then. */
  stop(): Promise<boolean>;
}

/** The live server of a data folder that nobody is in charge of. */
export async function leftServer(folder: string): Promise<LeftServer | undefined> {
  const dataFolder = await realpath(folder).catch(() => undefined);
  if (dataFolder === undefined || !(await isFree(dataFolder))) return undefined;
  const file = await readPostmasterFile(dataFolder);
  if (file === undefined || !isServerOf(file, dataFolder)) return undefined;
  return {
    pid: file.pid,
    url: urlOf(file),
    async stop() {
      await using lock = await acquireExclusiveLock(lockOf(dataFolder));
      const now = await readPostmasterFile(dataFolder);
      if (lock === undefined || now === undefined || now.pid !== file.pid || !isServerOf(now, dataFolder)) return false;
      await stopServer({ identity: { pid: now.pid, start: processStart(now.pid) } });
      return true;
    },
  };
}

/** Files that a server which was killed has left, with the process that wrote them. */
export interface DeadServerFiles {
  readonly pid: number | undefined;
  readonly files: readonly string[];
}

/**
 * What a killed server of the data folder left: its pid file and its socket. Only where it is proven that nothing of that server lives:
 * nobody is in charge of the folder, its pid is no server's, and no process works in the folder, as every one of a server does. The
 * caller removes them while it holds what keeps a new server from being started.
 */
export async function deadServerFiles(folder: string): Promise<DeadServerFiles | undefined> {
  const dataFolder = await realpath(folder).catch(() => undefined);
  if (dataFolder === undefined || !(await isFree(dataFolder))) return undefined;
  const file = await readPostmasterFile(dataFolder);
  if (file !== undefined && isServerOf(file, dataFolder)) return undefined;
  if (isWorkedIn(dataFolder, /\bpostgres\b/) !== false) return undefined;
  const sockets = await ownFolder(file?.socketFolder, `${dataFolder}-socket`);
  const candidates = [
    join(dataFolder, 'postmaster.pid'),
    ...(sockets === undefined ? [] : [join(sockets, SOCKET_NAME), join(sockets, `${SOCKET_NAME}.lock`)]),
  ];
  const there = await Promise.all(
    candidates.map((path) =>
      access(path).then(
        () => [path],
        () => [],
      ),
    ),
  );
  const files = there.flat();
  return files.length === 0
    ? undefined
    : { pid: file !== undefined && !isAlive({ pid: file.pid }) ? file.pid : undefined, files };
}

/** The folder that the server wrote down, if it is one that we make for sockets; else the usual one. */
async function ownFolder(written: string | undefined, usual: string): Promise<string | undefined> {
  const folder = written === undefined || written === '' ? usual : written;
  if (folder !== usual && !/^pg-[0-9a-f]{16}$/.test(basename(folder))) return undefined;
  const found = await lstat(folder).catch(() => undefined);
  return found?.isDirectory() === true ? folder : undefined;
}

/** Whether nobody is in charge of the data folder, so that what runs there was left behind. */
async function isFree(dataFolder: string): Promise<boolean> {
  if (!(await isThere(lockOf(dataFolder)))) return true; // never was anybody
  await using lock = await acquireExclusiveLock(lockOf(dataFolder));
  return lock !== undefined;
}

function lockOf(dataFolder: string): string {
  return `${dataFolder}.lock`;
}
