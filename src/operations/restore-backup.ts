import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ensureHome } from '../config/home.ts';
import type { BackupManifest } from '../domain/backup-manifest.ts';
import { systemClock } from '../lib/clock.ts';
import { noCrashPoint } from '../lib/crash-point.ts';
import { SwitchyardError } from '../lib/error.ts';
import { acquireExclusiveLock } from '../lib/exclusive-lock.ts';
import { runTar } from '../lib/exec/tar.ts';
import { inspectRepository } from '../lib/git/repository.ts';
import { type Home, resolveHome } from '../lib/home.ts';
import { startPostgres } from '../lib/postgres-supervisor/supervisor.ts';
import { openDatabase } from '../store/database.ts';
import { knownMigrations } from '../store/migrate.ts';
import { restoreBundle } from '../workspaces/bundle.ts';
import { putKey } from '../workspaces/checkpoint-key.ts';
import { CONFIG_FILE, readManifest } from './backup-manifest.ts';
import { exchangeDatabase, fillDatabase, notEmpty, type UnpackedBackup } from './restore-database.ts';

export interface RestoreRequest {
  readonly file: string;
  /** Names the home, as for a daemon. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What is there already is moved aside. */
  readonly replace: boolean;
  readonly now: Date;
  readonly progress: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface RestoreReport {
  readonly home: string;
  readonly manifest: BackupManifest;
  /** What was there before, and where it is now. */
  readonly aside: readonly string[];
  readonly notes: readonly string[];
}

/**
 * Makes a home of a backup, while no daemon serves it. Everything is made beside it and looked through before anything changes places;
 * what was there is moved aside, never deleted. Refuses with `restore/not-empty`, `backup/newer`, `backup/damaged`, `backup/not-one`,
 * `restore/in-use`. A failure, an abort or a death leaves everything as it was, in a database that DATABASE_URL names too, and perhaps a
 * folder whose name has `.restoring-` in it.
 */
export async function restoreBackup(request: RestoreRequest): Promise<RestoreReport> {
  const { env, file, signal, progress } = request;
  const home = resolveHome(env);
  await mkdir(home.folder, { recursive: true, mode: 0o700 });
  await using lock = await acquireExclusiveLock(home.lock);
  if (lock === undefined) throw inUse(home);
  const isEmpty = await isUnused(home);
  if (!isEmpty && !request.replace) throw notEmpty(home.folder);
  const scratch = await mkdtemp(`${home.folder}.restoring-`);
  try {
    progress('Reading the backup');
    const content = join(scratch, 'content');
    await mkdir(content);
    await runTar(['-xf', file, '-C', content], signal).catch((error: unknown) => {
      signal.throwIfAborted();
      throw error instanceof SwitchyardError ? notReadable(file, error) : error;
    });
    const manifest = await readManifest(content, file);
    await refuseNewer(manifest);
    const made = resolveHome({ ...env, SWITCHYARD_HOME: join(scratch, 'home'), XDG_RUNTIME_DIR: undefined });
    await ensureHome(made);
    if (manifest.files[CONFIG_FILE] !== undefined) await copyFile(join(content, CONFIG_FILE), made.config);
    for (const { id, file: bundle, key } of manifest.repositories) {
      if (bundle === null) continue;
      progress(`Restoring git store ${id}`);
      const store = join(made.repositories, `${id}.git`);
      await restoreBundle(join(content, bundle), { store, signal });
      if (key !== undefined) await putKey(store, await readFile(join(content, key)));
    }
    progress('Restoring the database');
    const backup = { content, manifest, repositories: made.repositories };
    const aside = await restoreDatabase(request, backup, { home, made, scratch, isEmpty });
    return { home: home.folder, manifest, aside, notes: await elsewhere(manifest) };
  } finally {
    await rm(scratch, { recursive: true, force: true, maxRetries: 5 });
  }
}

const LITTLE = /^(daemon\.(lock.*|log|sock)|worker|reports)$/;

/** Whether the home holds nothing but what a look at it leaves. */
async function isUnused(home: Home): Promise<boolean> {
  for (const entry of await readdir(home.folder, { withFileTypes: true })) {
    if (LITTLE.test(entry.name)) continue;
    if (!entry.isDirectory() || (await readdir(join(home.folder, entry.name))).length > 0) return false;
  }
  return true;
}

async function refuseNewer({ migrations, version }: BackupManifest): Promise<void> {
  const known = new Set(await knownMigrations());
  const unknown = migrations.filter((name) => !known.has(name));
  if (unknown.length === 0) return;
  throw new SwitchyardError({
    code: 'backup/newer',
    message: `The backup was written by Switchyard ${version}, which is newer than this one (${unknown.join(', ')}).`,
    hint: 'Install that version or a later one, then restore it.',
  });
}

interface Places {
  readonly home: Home;
  readonly made: Home;
  readonly scratch: string;
  readonly isEmpty: boolean;
}

/** Fills the database and puts the made home in its place; returns what was moved aside. */
async function restoreDatabase(
  request: RestoreRequest,
  backup: UnpackedBackup,
  places: Places,
): Promise<readonly string[]> {
  const { env, replace, signal } = request;
  const stamp = stampOf(request.now);
  const external = env['DATABASE_URL'];
  if (external === undefined || external === '') {
    await fillOwn(places.made, backup, signal);
    return (await changePlaces(places, stamp)).aside;
  }
  await using database = openDatabase(external, { clock: systemClock });
  let changed: Changed | undefined;
  const movedSchemas = await exchangeDatabase(database, backup, {
    replace,
    stamp,
    place: async () => {
      signal.throwIfAborted();
      changed = await changePlaces(places, stamp);
    },
    undo: async () => {
      await changed?.undo();
      changed = undefined;
    },
  });
  return [...(changed?.aside ?? []), ...movedSchemas];
}

async function fillOwn({ database: dataFolder }: Home, backup: UnpackedBackup, signal: AbortSignal): Promise<void> {
  await using server = await startPostgres({
    dataFolder,
    crashPoint: noCrashPoint,
    log: () => undefined,
    signal,
  });
  await using database = openDatabase(server.url, { clock: systemClock });
  await fillDatabase(database, backup);
}

interface Changed {
  readonly aside: readonly string[];
  readonly undo: () => Promise<void>;
}

/** The old home goes first; whoever dies between the two finds both beside each other, under names that say what they are. */
async function changePlaces({ home, made, scratch, isEmpty }: Places, stamp: string): Promise<Changed> {
  const aside = isEmpty ? join(scratch, 'unused') : await freeName(`${home.folder}.before-${stamp}`);
  await rename(home.folder, aside);
  try {
    await rename(made.folder, home.folder);
  } catch (error) {
    await rename(aside, home.folder);
    throw error;
  }
  return {
    aside: isEmpty ? [] : [aside],
    undo: async () => {
      await rename(home.folder, made.folder);
      await rename(aside, home.folder);
    },
  };
}

async function freeName(wanted: string): Promise<string> {
  for (let n = 1; ; n++) {
    const name = n === 1 ? wanted : `${wanted}-${n}`;
    if ((await stat(name).catch(() => undefined)) === undefined) return name;
  }
}

/** Repositories that are not where they were. */
async function elsewhere({ repositories }: BackupManifest): Promise<string[]> {
  const notes: string[] = [];
  for (const { id, path } of repositories) {
    if ((await inspectRepository(path).catch(() => undefined)) !== undefined) continue;
    notes.push(`There is no repository at ${path}: say where ${id} is with \`switchyard repo add PATH\`.`);
  }
  return notes;
}

const stampOf = (now: Date) => now.toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);

function inUse({ folder }: Home): SwitchyardError {
  return new SwitchyardError({
    code: 'restore/in-use',
    message: `A daemon or worker uses ${folder}.`,
    hint: 'Stop it first: `switchyard server down`.',
  });
}

function notReadable(file: string, cause: SwitchyardError): SwitchyardError {
  return new SwitchyardError({
    code: 'backup/not-one',
    message: `${basename(file)} in ${dirname(file)} cannot be read as a backup: ${cause.message}`,
    hint: 'Give a file that `switchyard server backup` has written.',
    cause,
  });
}
