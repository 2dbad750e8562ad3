import { dirname } from 'node:path';
import { between, type CrashPoint } from '../crash-point.ts';
import { messageOf, SwitchyardError } from '../error.ts';
import { pause, waitUntil } from '../wait-until.ts';
import { chooseAccount } from './account.ts';
import { askDatabase } from './ask.ts';
import { type Binaries, resolveBinaries } from './binaries.ts';
import { clusterVersion, DATABASE, initialise, ROLE } from './initialise.ts';
import { findServer, type ServerProcess, spawnServer, stopServer } from './process.ts';
import { makeSocketFolder } from './socket-folder.ts';

/** Where a server's things are. */
export interface Place {
  readonly dataFolder: string;
  /** Where the socket is wanted; it may come to lie elsewhere. */
  readonly socketFolder: string;
  readonly logFile: string;
}

export interface BringUpOptions extends Place {
  readonly crashPoint: CrashPoint;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
}

/** After a kill of the server, its remains can get in the way of the next one for some seconds. */
const START_PATIENCE_MS = 10_000;

/**
 * A server on that data folder that takes connections: the live one, else a new one, on a new cluster if there is none.
 * The caller holds the lock on the folder.
 */
export async function bringUp(options: BringUpOptions): Promise<ServerProcess> {
  const { dataFolder, log, signal, crashPoint } = options;
  const deadline = performance.now() + START_PATIENCE_MS;
  for (;;) {
    const binaries = await resolveBinaries(dirname(dataFolder));
    // Before a live server is adopted, too: the next start of another major version's would fail.
    await requireMajor(binaries, dataFolder);
    const live = await findServer(dataFolder, signal);
    if (live && (await answers(live, signal))) {
      log(`database: adopted the running server, process ${live.identity.pid}`);
      return live;
    }
    if (live) {
      log(`database: the running server, process ${live.identity.pid}, does not answer; stopping it`);
      await stopServer(live);
    }
    try {
      const spawn = await prepare(options, binaries);
      const server = await between(crashPoint, 'database-start', () => spawnServer(spawn));
      log(`database: started, process ${server.identity.pid}`);
      return server;
    } catch (error) {
      const again =
        error instanceof SwitchyardError && error.code === 'database/does-not-start' && error.retry !== 'never';
      if (!again || performance.now() >= deadline) throw error;
      log(`database: ${messageOf(error)}; trying again`);
      await pause(200, signal);
    }
  }
}

/** All that a start needs, looked up anew each time: an upgrade may have replaced the program since. */
async function prepare({ dataFolder, socketFolder, logFile, log, signal }: BringUpOptions, binaries: Binaries) {
  const account = await chooseAccount({ dataFolder, program: binaries.postgres, signal });
  if ((await clusterVersion(dataFolder)) === undefined) {
    log(`database: making a new one in ${dataFolder}`);
    await initialise({ dataFolder, binaries, account, signal });
  }
  const folder = await makeSocketFolder(socketFolder, account);
  return { binaries, account, dataFolder, socketFolder: folder, logFile, signal };
}

async function requireMajor({ major }: Binaries, dataFolder: string): Promise<void> {
  const version = await clusterVersion(dataFolder);
  if (version === undefined || version === major) return;
  throw new SwitchyardError({
    code: 'database/other-major',
    message: `the database in ${dataFolder} was made by PostgreSQL ${version}; the installed one is PostgreSQL ${major}`,
    hint: 'Nothing was changed. Take a backup with the version of Switchyard that made it, and restore that with this one.',
  });
}

/** Whether a server takes connections; waits for one that is still recovering, not for one that is going down. */
async function answers(server: ServerProcess, signal: AbortSignal): Promise<boolean> {
  const ask = () =>
    askDatabase(urlOf(server), { text: 'select 1' }, 2_000).then(
      () => true,
      () => false,
    );
  try {
    return await waitUntil(ask, { timeoutMs: 5_000, everyMs: 20, signal });
  } catch {
    signal.throwIfAborted();
    return false;
  }
}

export function urlOf({ socketFolder, port }: Pick<ServerProcess, 'socketFolder' | 'port'>): string {
  return `postgres://${ROLE}@/${DATABASE}?host=${encodeURIComponent(socketFolder)}&port=${port}&sslmode=disable`;
}
