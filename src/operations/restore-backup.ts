import { createReadStream } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
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
import { type Database, openDatabase } from '../store/database.ts';
import { loadDump, namedCommits } from '../store/dump.ts';
import { knownMigrations, migrate, migrateTo } from '../store/migrate.ts';
import { presentCommits, restoreBundle } from '../workspaces/bundle.ts';
import { CONFIG_FILE, DATABASE_FILE, damaged, readManifest } from './backup-manifest.ts';

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
 * `restore/in-use`. An abort or a death leaves everything as it was, and perhaps a folder whose name has `.restoring-` in it.
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
    for (const { id, file: bundle } of manifest.repositories) {
      if (bundle === null) continue;
      progress(`Restoring git store ${id}`);
      await restoreBundle(join(content, bundle), { store: join(made.repositories, `${id}.git`), signal });
    }
    progress('Restoring the database');
    const movedSchemas = await restoreDatabase(request, { made, content, manifest });
    const aside = await changePlaces(request, { home, made, scratch, isEmpty });
    return { home: home.folder, manifest, aside: [...aside, ...movedSchemas], notes: await elsewhere(manifest) };
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

interface Making {
  readonly made: Home;
  readonly content: string;
  readonly manifest: BackupManifest;
}

/** Returns what was moved aside in a database of somebody else's. */
async function restoreDatabase(request: RestoreRequest, making: Making): Promise<string[]> {
  const external = request.env['DATABASE_URL'];
  if (external !== undefined && external !== '') {
    await using database = openDatabase(external, { clock: systemClock });
    const moved = await moveSchemas(database, request);
    await load(database, making);
    return moved;
  }
  await using server = await startPostgres({
    dataFolder: making.made.database,
    crashPoint: noCrashPoint,
    log: () => undefined,
    signal: request.signal,
  });
  await using database = openDatabase(server.url, { clock: systemClock });
  await load(database, making);
  return [];
}

/** In the version that it was dumped from; then it is brought to this one. */
async function load(database: Database, { made, content, manifest }: Making): Promise<void> {
  await migrateTo(database, manifest.migrations);
  const rows = await database.transaction((queries) => {
    const unpacked = createReadStream(join(content, DATABASE_FILE)).pipe(createGunzip());
    return loadDump(queries, createInterface({ input: unpacked, crlfDelay: Number.POSITIVE_INFINITY }));
  });
  const differing = Object.entries(manifest.rows).filter(([table, count]) => (rows[table] ?? 0) !== count);
  if (differing.length > 0)
    throw damaged('database', `rows are missing in ${differing.map(([table]) => table).join(', ')}`);
  await migrate(database);
  const named = await namedCommits(database);
  for (const { id, file, missing } of manifest.repositories) {
    const wanted = (named.get(id) ?? []).filter((commit) => !missing.includes(commit));
    const known = file === null ? [] : await presentCommits(join(made.repositories, `${id}.git`), wanted);
    if (known.length < wanted.length) throw damaged('repositories', `commits are missing in the git store of ${id}`);
  }
}

/** What an earlier Switchyard has in the database gets other names. */
async function moveSchemas(database: Database, { replace, now }: RestoreRequest): Promise<string[]> {
  const names = ['switchyard', 'pgboss'];
  return database.transaction(async (queries) => {
    const found = await queries.query<{ name: string }>(
      'select nspname::text as name from pg_namespace where nspname = any($1) order by 1',
      [names],
    );
    if (found.some(({ name }) => name === 'switchyard') && !replace)
      throw notEmpty('the database that DATABASE_URL names');
    const moved: string[] = [];
    for (const { name } of found) {
      const aside = `${name}_before_${stampOf(now).replace('-', '_')}`;
      await queries.query(`alter schema "${name}" rename to "${aside}"`);
      moved.push(`schema ${aside}`);
    }
    return moved;
  });
}

/** The old home goes first; whoever dies between the two finds both beside each other, under names that say what they are. */
async function changePlaces(
  { now }: RestoreRequest,
  { home, made, scratch, isEmpty }: { home: Home; made: Home; scratch: string; isEmpty: boolean },
): Promise<string[]> {
  const aside = isEmpty ? join(scratch, 'unused') : await freeName(`${home.folder}.before-${stampOf(now)}`);
  await rename(home.folder, aside);
  await rename(made.folder, home.folder);
  return isEmpty ? [] : [aside];
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

function notEmpty(what: string): SwitchyardError {
  return new SwitchyardError({
    code: 'restore/not-empty',
    message: `There is something in ${what} already.`,
    hint: 'With --replace it is moved aside, and stays there until you delete it; or set SWITCHYARD_HOME to another folder.',
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
