import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import type { BackupManifest } from '../domain/backup-manifest.ts';
import { SwitchyardError } from '../lib/error.ts';
import type { Database, Queries } from '../store/database.ts';
import { loadDump, namedCommits } from '../store/dump.ts';
import { migrate, migrateTo } from '../store/migrate.ts';
import { WORKER_SILENCE_MS } from '../store/workers.ts';
import { presentCommits } from '../workspaces/bundle.ts';
import { DATABASE_FILE, damaged } from './backup-manifest.ts';

export interface UnpackedBackup {
  readonly content: string;
  readonly manifest: BackupManifest;
  /** The folder of the git stores that were made of it. */
  readonly repositories: string;
}

export interface Exchange {
  /** What an earlier Switchyard has there is renamed; without it that is refused with `restore/not-empty`. */
  readonly replace: boolean;
  /** Ends the names that the schemas get which are there. */
  readonly stamp: string;
  /** Done last, before the commit; may be done again after `undo`. */
  readonly place: () => Promise<void>;
  /** Takes back what `place` did, if it did anything: nothing in the database has changed. */
  readonly undo: () => Promise<void>;
}

/** Puts the backup into a database where nothing is yet, all of it or nothing. */
export async function fillDatabase(database: Database, backup: UnpackedBackup): Promise<void> {
  await database.transaction((queries) => load(queries, backup));
}

/**
 * Puts the backup in the place of what a database of somebody else's has, which is renamed; returns the new names. It is one transaction:
 * a failure, an abort and a death leave the database as it was. Refuses with `restore/in-use` as long as a daemon or worker, of whatever
 * home, is heard of in it.
 */
export async function exchangeDatabase(
  database: Database,
  backup: UnpackedBackup,
  exchange: Exchange,
): Promise<readonly string[]> {
  let made: { schema: string; moved: readonly string[] } | undefined;
  try {
    return await database.transaction(async (queries) => {
      if (made !== undefined) {
        // The connection was lost at the commit: it went through, or it did not.
        if ((await schemaNumber(queries)) === made.schema) return made.moved;
        made = undefined;
        await exchange.undo();
      }
      await refuseInUse(queries);
      const moved = await renameSchemas(queries, exchange);
      await load(queries, backup);
      made = { schema: await schemaNumber(queries), moved };
      await exchange.place();
      return moved;
    });
  } catch (error) {
    await exchange.undo();
    throw error;
  }
}

async function schemaNumber(queries: Queries): Promise<string> {
  const [row] = await queries.query<{ oid: string }>(`select oid::text from pg_namespace where nspname = 'switchyard'`);
  return row?.oid ?? '';
}

async function refuseInUse(queries: Queries): Promise<void> {
  const [found] = await queries.query<{ known: boolean }>(
    `select to_regclass('switchyard.worker') is not null as known`,
  );
  if (found?.known !== true) return;
  const alive = await queries.query<{ id: string; machine: string; pid: number }>(
    `select id, machine, pid from switchyard.worker where heartbeat_at > now() - interval '${WORKER_SILENCE_MS} milliseconds'`,
  );
  if (alive.length === 0) return;
  const who = alive.map(({ machine, pid }) => `process ${pid} on ${machine}`).join(', ');
  throw new SwitchyardError({
    code: 'restore/in-use',
    message: `The database that DATABASE_URL names is in use by ${who}.`,
    hint: 'Stop that daemon or worker first: `switchyard server down` with its SWITCHYARD_HOME. One that was killed is forgotten after ten seconds.',
  });
}

/** What an earlier Switchyard has in the database gets other names. */
async function renameSchemas(queries: Queries, { replace, stamp }: Exchange): Promise<string[]> {
  const found = await queries.query<{ name: string }>(
    `select nspname::text as name from pg_namespace where nspname in ('switchyard', 'pgboss') order by 1`,
  );
  if (found.some(({ name }) => name === 'switchyard') && !replace)
    throw notEmpty('the database that DATABASE_URL names');
  const moved: string[] = [];
  for (const { name } of found) {
    const aside = `${name}_before_${stamp.replace('-', '_')}`;
    await queries.query(`alter schema "${name}" rename to "${aside}"`);
    moved.push(`schema ${aside}`);
  }
  return moved;
}

/** In the version that it was dumped from; then it is brought to this one. */
async function load(queries: Queries, { content, manifest, repositories }: UnpackedBackup): Promise<void> {
  // Git is asked in between, which may take its time.
  await queries.query('set local idle_in_transaction_session_timeout = 0');
  const within: Pick<Database, 'transaction'> = { transaction: (work) => work(queries) };
  await migrateTo(within, manifest.migrations);
  const unpacked = createReadStream(join(content, DATABASE_FILE)).pipe(createGunzip());
  const rows = await loadDump(queries, createInterface({ input: unpacked, crlfDelay: Number.POSITIVE_INFINITY }));
  const differing = Object.entries(manifest.rows).filter(([table, count]) => (rows[table] ?? 0) !== count);
  if (differing.length > 0)
    throw damaged('database', `rows are missing in ${differing.map(([table]) => table).join(', ')}`);
  await migrate(within);
  const named = await namedCommits(queries);
  for (const { id, file, missing } of manifest.repositories) {
    const wanted = (named.get(id) ?? []).filter((commit) => !missing.includes(commit));
    const known = file === null ? [] : await presentCommits(join(repositories, `${id}.git`), wanted);
    if (known.length < wanted.length) throw damaged('repositories', `commits are missing in the git store of ${id}`);
  }
}

export function notEmpty(what: string): SwitchyardError {
  return new SwitchyardError({
    code: 'restore/not-empty',
    message: `There is something in ${what} already.`,
    hint: 'With --replace it is moved aside, and stays there until you delete it; or set SWITCHYARD_HOME to another folder.',
  });
}
