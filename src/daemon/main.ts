import { rm } from 'node:fs/promises';
import { EXIT } from '../api/failure.ts';
import { ensureHome } from '../config/home.ts';
import { acquireExclusiveLock } from '../lib/exclusive-lock.ts';
import { type Home, resolveHome } from '../lib/home.ts';
import { OneAtATime } from '../lib/one-at-a-time.ts';
import { type PostgresServer, startPostgres } from '../lib/postgres-supervisor/supervisor.ts';
import { openEventFeed } from '../operations/event-feed.ts';
import type { OperationContext } from '../operations/operations.ts';
import { KnownSecrets } from '../secrets/known-secrets.ts';
import { createApp } from '../server/app.ts';
import { listenOnSocket } from '../server/listen.ts';
import { migrate } from '../store/migrate.ts';
import { blueprintsFolder, compose, crashPointFrom, dieAtOnce } from './compose.ts';
import { handBackDeadOnes } from './hand-back-dead-ones.ts';
import { handlers } from './handlers.ts';
import { giveBackHeap } from './idle-heap.ts';
import { type Log, openLog } from './log.ts';
import { pruneDaily } from './prune-daily.ts';
import { resumeDueOnes } from './resume-due.ts';
import { version } from './version.ts';
import { keepBasesWarm } from './warm-bases.ts';

export interface DaemonOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Only then are crash points honoured. */
  readonly testMode: boolean;
  /** Whether it works on steps itself; without, it leaves them to workers that join. Default true. */
  readonly works?: boolean;
  readonly signal?: AbortSignal;
}

/** Another daemon serves this home already: whoever starts one may go on and use that. */
export const ALREADY_RUNNING = 75;

/** Serves one SWITCHYARD_HOME until it is told to stop. Returns the exit code; rejects when it cannot serve, with what to do. */
export async function runDaemon({ env, testMode, works = true, signal }: DaemonOptions): Promise<number> {
  const known = new KnownSecrets();
  const log = openLog(known.redact);
  const home = resolveHome(env);
  try {
    await ensureHome(home);
    await using lock = await acquireExclusiveLock(home.lock);
    if (lock === undefined) {
      log.info('another daemon serves this home', { home: home.folder });
      return ALREADY_RUNNING;
    }
    await rm(home.stopped, { force: true });
    return await serve({ env, testMode, works, home, log, known, stopping: stopSignal(signal) });
  } catch (error) {
    log.error('the daemon cannot go on', error);
    throw error;
  }
}

interface Serving {
  readonly env: DaemonOptions['env'];
  readonly testMode: boolean;
  readonly works: boolean;
  readonly home: Home;
  readonly log: Log;
  readonly known: KnownSecrets;
  readonly stopping: AbortController;
}

async function serve({ env, testMode, works, home, log, known, stopping }: Serving): Promise<number> {
  const startedAt = new Date();
  await using stack = new AsyncDisposableStack();
  let postgres: PostgresServer | undefined;
  const killDatabase = async () => void (postgres === undefined || process.kill(postgres.pid, 'SIGKILL'));
  const crashPoint = crashPointFrom(
    env,
    testMode,
    env['SWITCHYARD_CRASH_VICTIM'] === 'database' ? killDatabase : dieAtOnce,
  );
  const external = env['DATABASE_URL'];
  if (external === undefined || external === '') {
    postgres = stack.use(
      await startPostgres({
        dataFolder: home.database,
        crashPoint,
        log: (line) => log.info(line),
        signal: stopping.signal,
      }),
    );
    void postgres.failed.then((error) => {
      log.error('the database cannot be kept alive', error);
      stopping.abort(error);
    });
  }
  const databaseUrl = postgres?.url ?? external ?? '';
  const running = stack.use(
    await compose({
      home,
      databaseUrl,
      repositories: home.repositories,
      env,
      crashPoint,
      log,
      known,
      secretsOf: home,
      prepare: migrate,
      works,
    }),
  );
  const feed = stack.use(await openEventFeed(running.engine.database));
  const heldByOpenings = new Map<string, AsyncDisposable>();
  stack.defer(
    async () => void (await Promise.all([...heldByOpenings.values()].map((one) => one[Symbol.asyncDispose]()))),
  );
  const operations: OperationContext = {
    engine: running.engine,
    host: running.host,
    machine: () => running.machine.reload(),
    blueprints: blueprintsFolder,
    defaultSandbox: () => running.walls.strongest(),
    images: running.walls.images,
    secrets: running.secrets,
    heldByOpenings,
    hands: new OneAtATime(),
    home,
  };
  const app = createApp({
    feed,
    onBug: (error) => log.error('a request failed', error),
    redact: known.redact,
    handlers: handlers({
      operations,
      facts: {
        version,
        startedAt,
        testMode,
        home,
        database: postgres === undefined ? 'external' : 'embedded',
        databaseUrl,
      },
      stop: () => stopping.abort(),
    }),
  });
  stack.use(pruneDaily(operations, log));
  if (works) stack.use(keepBasesWarm(operations, log));
  stack.use(handBackDeadOnes(operations, log));
  stack.use(resumeDueOnes(running.engine, log));
  stack.use(giveBackHeap(running.engine.clock));
  stack.use(await listenOnSocket(app, home.socket));
  log.info('serving', { home: home.folder, version, testMode });
  await aborted(stopping.signal);
  log.info('stopping');
  return stopping.signal.reason instanceof Error && stopping.signal.reason.name !== 'AbortError' ? EXIT.unavailable : 0;
}

/** Aborts on SIGTERM, SIGINT and when the caller's signal does. */
function stopSignal(outer: AbortSignal | undefined): AbortController {
  const controller = new AbortController();
  const stop = () => controller.abort();
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  outer?.addEventListener('abort', stop, { once: true });
  return controller;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
