import { readdir, readFile } from 'node:fs/promises';
import { SwitchyardError } from '../lib/error.ts';
import type { Database } from './database.ts';

const FOLDER = new URL('./migrations/', import.meta.url);
/** Any number that nothing else locks. */
const LOCK = 7_406_991;

/**
 * Brings the database to this version: the numbered files of `migrations/` that it has not seen, in one transaction under a lock, so
 * that two processes starting at once do it once. A database that a newer version has changed is refused (`database/newer`).
 */
export async function migrate(database: Pick<Database, 'transaction'>): Promise<void> {
  await migrateTo(database, await knownMigrations());
}

/** The numbered files, in their order. */
export async function knownMigrations(): Promise<string[]> {
  return (await readdir(FOLDER)).filter((name) => name.endsWith('.sql')).sort();
}

/** The same, but only those of the files: the database of an older version, for what was dumped from one. */
export async function migrateTo(database: Pick<Database, 'transaction'>, files: readonly string[]): Promise<void> {
  await database.transaction(async (queries) => {
    await queries.query('select pg_advisory_xact_lock($1)', [LOCK]);
    await queries.query('create schema if not exists switchyard');
    await queries.query(
      'create table if not exists switchyard.migration (name text primary key, at timestamptz not null default now())',
    );
    const done = new Set(
      (await queries.query<{ name: string }>('select name from switchyard.migration')).map((row) => row.name),
    );
    const unknown = [...done].filter((name) => !files.includes(name));
    if (unknown.length > 0) throw newer(unknown);
    for (const file of files) {
      if (done.has(file)) continue;
      await queries.query(await readFile(new URL(file, FOLDER), 'utf8'));
      await queries.query('insert into switchyard.migration (name) values ($1)', [file]);
    }
  });
}

function newer(unknown: readonly string[]): SwitchyardError {
  return new SwitchyardError({
    code: 'database/newer',
    message: `The database was changed by a newer Switchyard (${unknown.join(', ')}).`,
    hint: 'Install that version or a later one; this one would not understand what is stored.',
  });
}
