import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile, stat, truncate } from 'node:fs/promises';
import { type Retry, SwitchyardError } from '../error.ts';
import { isAlive, type ProcessIdentity, processStart, sendSignal } from '../processes.ts';
import { pause, waitUntil } from '../wait-until.ts';
import type { Account } from './account.ts';
import type { Binaries } from './binaries.ts';
import { serverEnvironment } from './initialise.ts';
import { disownStalePids, isServerOf, readPostmasterFile } from './postmaster-file.ts';
import { PORT } from './socket-folder.ts';

/** A running server: our child, or one that an earlier process of ours left behind. */
export interface ServerProcess {
  readonly identity: ProcessIdentity;
  /** As the server itself says; an adopted one may use another folder than a new one would. */
  readonly socketFolder: string;
  readonly port: number;
  /** Resolves when the server is no more, or when `signal` aborts the watching. */
  gone(signal: AbortSignal): Promise<void>;
}

/**
 * Small, for one daemon: two dozen connections, short transactions. Durability is left as strict as PostgreSQL makes
 * it.
 */
const SETTINGS = {
  listen_addresses: '',
  port: String(PORT),
  unix_socket_permissions: '0700',
  max_connections: '60',
  shared_buffers: '32MB',
  maintenance_work_mem: '16MB',
  effective_cache_size: '256MB',
  huge_pages: 'off',
  jit: 'off',
  io_method: 'sync',
  max_worker_processes: '2',
  max_parallel_workers: '0',
  max_parallel_workers_per_gather: '0',
  max_logical_replication_workers: '0',
  max_wal_senders: '0',
  autovacuum_max_workers: '2',
  min_wal_size: '32MB',
  max_wal_size: '512MB',
  log_checkpoints: 'off',
  log_timezone: 'UTC',
  timezone: 'UTC',
} as const;

const LOG_LIMIT = 8 * 2 ** 20;
/**
 * Long: a server that was killed with much unwritten work recovers first, and to interrupt that would only make it
 * begin again.
 */
const START_LIMIT_MS = 10 * 60_000;

export interface SpawnOptions {
  readonly binaries: Binaries;
  readonly account: Account;
  readonly dataFolder: string;
  readonly socketFolder: string;
  readonly logFile: string;
  readonly signal: AbortSignal;
}

/**
 * Starts a server that outlives this process and resolves when it takes connections. Throws `database/does-not-start`,
 * with the end of its log, when it ends before that (`retry` says whether a killed server's remains may be why); the
 * signal's reason when aborted. After a throw the server has ended.
 */
export async function spawnServer(options: SpawnOptions): Promise<ServerProcess> {
  const { dataFolder, logFile, signal } = options;
  await disownStalePids(dataFolder, options.socketFolder);
  const before = await readPostmasterFile(dataFolder);
  await capLog(logFile);
  const logStart = await sizeOf(logFile);
  const child = await spawnDetached(options);
  const { pid } = child;
  if (pid === undefined) throw doesNotStart(logFile, 'its program cannot be run', 'never');
  // Whether it ran or not, its end is asked of the process table.
  const identity = { pid, start: processStart(pid) };
  const exit = once(child, 'exit').then(() => undefined);

  const look = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return 'ended';
    const file = await readPostmasterFile(dataFolder);
    // An equal text would be that of a killed server which had the same number.
    return file?.pid === pid && file.text !== before?.text && file.status === 'ready' && file;
  };
  try {
    const file = await waitUntil(look, {
      timeoutMs: START_LIMIT_MS,
      everyMs: 4,
      signal,
      what: 'the database to be ready',
    });
    if (file === 'ended') {
      const remains = before ?? (await readPostmasterFile(dataFolder));
      throw doesNotStart(logFile, await tail(logFile, logStart), remains ? 'backoff' : 'never');
    }
    const gone = (signal: AbortSignal) => Promise.race([exit, aborted(signal)]);
    return { identity, socketFolder: file.socketFolder, port: file.port, gone };
  } catch (error) {
    await stopServer({ identity });
    throw error;
  }
}

/**
 * The live server on that data folder, if there is one. Waits for one that is starting, and for the end of one that is
 * stopping. What is found may still not answer: ask it. On a system without /proc a stranger's process may be taken for
 * it.
 */
export async function findServer(dataFolder: string, signal: AbortSignal): Promise<ServerProcess | undefined> {
  const look = async () => {
    const file = await readPostmasterFile(dataFolder);
    if (!file || !isServerOf(file, dataFolder)) return 'none';
    return file.status !== '' && file.status !== 'starting' && file;
  };
  const file = await waitUntil(look, { timeoutMs: START_LIMIT_MS, signal, what: 'the running database to be ready' });
  if (file === 'none') return undefined;
  const identity = { pid: file.pid, start: processStart(file.pid) };
  if (file.status === 'stopping') {
    await stopServer({ identity });
    return undefined;
  }
  const gone = async (signal: AbortSignal) => {
    while (isAlive(identity) && !signal.aborted) {
      await pause(250, signal).catch(() => undefined);
    }
  };
  return { identity, socketFolder: file.socketFolder, port: file.port, gone };
}

/**
 * Ends a server in good order (open transactions are rolled back), or if that takes longer than 30 s, as in a loss of
 * power.
 */
export async function stopServer({ identity }: Pick<ServerProcess, 'identity'>): Promise<void> {
  const ended = () => !isAlive(identity);
  const limits = { SIGINT: 30_000, SIGQUIT: 10_000 } as const;
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) {
    if (ended() || !sendSignal(identity.pid, signal)) return;
    const deadline = performance.now() + limits[signal];
    while (performance.now() < deadline) {
      if (ended()) return;
      await pause(5);
    }
  }
  throw new SwitchyardError({
    code: 'database/does-not-stop',
    message: `the database server (process ${identity.pid}) does not end`,
    hint: 'Look at its log, and at the disk that its data is on; do not remove its files.',
    retry: 'backoff',
  });
}

/** Empties a log that has grown too large; a server that is writing to it goes on at its new end. */
export async function capLog(logFile: string): Promise<void> {
  if ((await sizeOf(logFile)) > LOG_LIMIT) await truncate(logFile);
}

async function spawnDetached({ binaries, account, dataFolder, socketFolder, logFile }: SpawnOptions) {
  // The setting is a list, so a name with a comma in it must be quoted.
  const unix_socket_directories = `"${socketFolder.replaceAll('"', '""')}"`;
  const settings = Object.entries({ ...SETTINGS, unix_socket_directories });
  const words = settings.flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const [command = '', ...args] = [...account.prefix, binaries.postgres, '-D', dataFolder, ...words];
  await using log = await open(logFile, 'a', 0o600);
  const child = spawn(command, args, {
    cwd: dataFolder,
    detached: true,
    env: serverEnvironment(),
    stdio: ['ignore', log.fd, log.fd],
    ...account.ids,
  });
  child.unref();
  // Without a pid there is an error event, which says why.
  if (child.pid === undefined) await once(child, 'error');
  return child;
}

function doesNotStart(logFile: string, said: string, retry: Retry): SwitchyardError {
  return new SwitchyardError({
    code: 'database/does-not-start',
    message: `the database server does not start: ${said}`,
    hint: `Its log, ${logFile}, says more.`,
    retry,
  });
}

async function tail(logFile: string, from: number): Promise<string> {
  const text = (await readFile(logFile)).subarray(from).toString('utf8').trim();
  return text === '' ? 'it said nothing' : text.split('\n').slice(-6).join('\n');
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch {
    // Not there yet.
    return 0;
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
