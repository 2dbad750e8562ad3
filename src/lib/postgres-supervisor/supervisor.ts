import { mkdir, realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { CrashPoint } from '../crash-point.ts';
import { messageOf, SwitchyardError } from '../error.ts';
import { acquireExclusiveLock, type ExclusiveLock, readLockNote } from '../exclusive-lock.ts';
import { bringUp, type Place, urlOf } from './bring-up.ts';
import { capLog, type ServerProcess, stopServer } from './process.ts';

/** One PostgreSQL server on one data folder, kept running. */
export interface PostgresServer extends AsyncDisposable {
  /**
   * For node-postgres and libpq: the database `switchyard` over a Unix socket in a folder that only this user can
   * enter. It stays the same over restarts; open connections do not, so a pool has to expect errors.
   */
  readonly url: string;
  /** The server's process at this moment; another one after a restart. */
  readonly pid: number;
  /**
   * Resolves with the reason when the server is down and supervision has given up. Never rejects. `stop` is still to be
   * called.
   */
  readonly failed: Promise<Error>;
  /**
   * Ends the supervision and the server (fast shutdown: open transactions are rolled back), also an adopted one, then
   * frees the folder. Waits for all that. A second call gives the first one's result. Throws `database/does-not-stop`;
   * the folder is free then, too.
   */
  stop(): Promise<void>;
}

export interface PostgresOptions {
  /**
   * Made if absent (for this user only), with its parents. Beside it: `NAME.lock`, `NAME.log`, `NAME-socket`, perhaps
   * `pg-bin-VERSION`.
   */
  readonly dataFolder: string;
  /**
   * Where the socket goes; by default beside the data. Where the path would be too long for a socket, a short one is
   * chosen.
   */
  readonly socketFolder?: string;
  /** `database-start` is passed around each start of a server process; not when a live one is adopted. */
  readonly crashPoint: CrashPoint;
  /** Gets one line for each event that a person may want to know. */
  readonly log: (line: string) => void;
  /**
   * While starting, an abort gives up: the promise rejects with the signal's reason, a server just spawned is told to
   * stop. Later, an abort ends only the supervision: the server stays until `stop`.
   */
  readonly signal: AbortSignal;
}

/**
 * Takes charge of the PostgreSQL server of a data folder: makes the folder's database on the first use, adopts a server
 * that an earlier process left running when it was killed, else starts one; then starts it again whenever it ends
 * unasked, at most 5 times in a minute. The server outlives a death of this process; only `stop` ends it.
 *
 * Throws `database/in-use` when another process is in charge of that folder; `database/cannot-run-as-root`,
 * `database/not-installed`, `database/other-major`, `database/not-a-cluster`, `database/disk-full`,
 * `database/cannot-initialise`, `database/no-socket-folder`, `database/does-not-start` (where a killed server's remains
 * may be why, after 10 s of trying). After a throw nothing is held.
 */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const place = await findPlace(options);
  const lock = await acquire(place.dataFolder);
  const stopping = new AbortController();
  const signal = AbortSignal.any([options.signal, stopping.signal]);
  const supervision = { ...options, ...place, signal };
  let server: ServerProcess;
  try {
    server = await bringUp(supervision);
  } catch (error) {
    await lock.release();
    throw error;
  }
  const { socketFolder } = server;
  const failed = Promise.withResolvers<Error>();
  const ended = keepUp({ ...supervision, socketFolder }, server, (next) => {
    server = next;
  }).catch((error: unknown) => {
    if (signal.aborted) return;
    options.log(`database: given up: ${messageOf(error)}`);
    failed.resolve(error instanceof Error ? error : new Error(messageOf(error)));
  });
  const end = async () => {
    stopping.abort();
    await ended;
    try {
      await stopServer(server);
    } finally {
      await lock.release();
    }
  };
  let stopped: Promise<void> | undefined;
  const stop = () => (stopped ??= end());
  return {
    url: urlOf(server),
    get pid() {
      return server.identity.pid;
    },
    failed: failed.promise,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

type Supervision = PostgresOptions & Place;

/** The data folder's name is made canonical: a live server is recognised by it. */
async function findPlace({ dataFolder, socketFolder }: PostgresOptions): Promise<Place> {
  const wanted = resolve(dataFolder);
  await mkdir(dirname(wanted), { recursive: true, mode: 0o700 });
  const canonical = await realpath(wanted).catch(async () => join(await realpath(dirname(wanted)), basename(wanted)));
  return {
    dataFolder: canonical,
    socketFolder: resolve(socketFolder ?? `${canonical}-socket`),
    logFile: `${canonical}.log`,
  };
}

async function acquire(dataFolder: string): Promise<ExclusiveLock> {
  const path = `${dataFolder}.lock`;
  const lock = await acquireExclusiveLock(path);
  if (lock) return lock;
  const holder = await readLockNote(path);
  const who = holder ? ` (${holder.pid}, since ${holder.since})` : '';
  throw new SwitchyardError({
    code: 'database/in-use',
    message: `another process${who} is in charge of the database in ${dataFolder}`,
    hint: 'Use that one, stop it, or choose another folder.',
    retry: 'backoff',
  });
}

const RESTARTS = 5;
const RESTARTS_WITHIN_MS = 60_000;
const LOG_CHECK_MS = 10 * 60_000;

/** Runs until the signal aborts; throws when the server cannot be kept up. */
async function keepUp(
  supervision: Supervision,
  first: ServerProcess,
  replaced: (next: ServerProcess) => void,
): Promise<void> {
  const { signal, log, logFile } = supervision;
  const restarts: number[] = [];
  const capping = setInterval(() => void capLog(logFile).catch(() => undefined), LOG_CHECK_MS).unref();
  try {
    for (let server = first; ; ) {
      await server.gone(signal);
      if (signal.aborted) return;
      const now = performance.now();
      restarts.push(now);
      if (restarts.filter((time) => now - time < RESTARTS_WITHIN_MS).length > RESTARTS) {
        throw new SwitchyardError({
          code: 'database/keeps-dying',
          message: `the database server ended ${RESTARTS + 1} times within a minute`,
          hint: `Its log, ${logFile}, says why.`,
        });
      }
      log(`database: the server, process ${server.identity.pid}, has ended unasked; starting it again`);
      server = await bringUp(supervision);
      replaced(server);
    }
  } finally {
    clearInterval(capping);
  }
}
