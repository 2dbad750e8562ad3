import { createClient, type ServerAddress } from '../api/client.ts';
import { ensureHome } from '../config/home.ts';
import { SwitchyardError } from '../lib/error.ts';
import { acquireExclusiveLock } from '../lib/exclusive-lock.ts';
import { resolveHome } from '../lib/home.ts';
import { KnownSecrets } from '../secrets/known-secrets.ts';
import { compose, crashPointFrom, dieAtOnce } from './compose.ts';
import { openLog } from './log.ts';
import { version } from './version.ts';

export interface WorkerOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The server whose database and git store it works on. */
  readonly server: ServerAddress;
  readonly testMode: boolean;
}

/** Works for a server, with workspaces of its own, until it is told to stop. Returns the exit code; rejects when it cannot join. */
export async function runWorker({ env, server, testMode }: WorkerOptions): Promise<number> {
  const known = new KnownSecrets();
  const log = openLog(known.redact);
  const home = resolveHome(env);
  await ensureHome(home);
  await using lock = await acquireExclusiveLock(home.lock);
  if (lock === undefined) throw inUse(home.folder);
  const joined = await createClient(server).call('joinWorker', {});
  if (joined.version !== version) throw otherVersion(joined.version);
  const crashPoint = crashPointFrom(env, testMode, dieAtOnce);
  const stopping = Promise.withResolvers<void>();
  process.once('SIGTERM', stopping.resolve);
  process.once('SIGINT', stopping.resolve);
  await using running = await compose({
    home,
    databaseUrl: joined.databaseUrl,
    repositories: joined.repositories,
    env,
    crashPoint,
    log,
    known,
    secretsOf: resolveHome({ SWITCHYARD_HOME: joined.home }),
    works: true,
  });
  log.info('working', { worker: running.host.worker, home: home.folder });
  await stopping.promise;
  log.info('stopping');
  return 0;
}

function inUse(folder: string): SwitchyardError {
  return new SwitchyardError({
    code: 'daemon/home-in-use',
    message: `${folder} is in use by another daemon or worker.`,
    hint: 'Give this worker a home of its own: `SWITCHYARD_HOME=/path switchyard worker --server unix:…`.',
  });
}

function otherVersion(theirs: string): SwitchyardError {
  return new SwitchyardError({
    code: 'daemon/other-version',
    message: `The server is version ${theirs}, this worker ${version}.`,
    hint: 'Install the same version on both.',
  });
}
