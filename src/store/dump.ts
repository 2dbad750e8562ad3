import { Client } from 'pg';
import type { Queries } from './database.ts';

/** The tables of one home as lines of text, table by table, parents first: `NAME\tROW`, the row as PostgreSQL's own JSON. */

const BATCH = 500;
/** What says which processes are there now, and which migrations were applied, is no part of it. */
const LEFT_OUT: readonly string[] = ['worker', 'migration'];

export interface DumpFacts {
  readonly migrations: readonly string[];
  /** Rows by table, in the order in which they were written. */
  readonly rows: Readonly<Record<string, number>>;
  /** All commits that rows name, by repository. */
  readonly commits: ReadonlyMap<string, readonly string[]>;
  readonly repositories: readonly { readonly id: string; readonly path: string }[];
}

/**
 * Writes all rows as they were at one moment, over a connection of its own; whoever works on them meanwhile is not held up. An abort ends
 * it with the signal's reason.
 */
export async function dumpDatabase(
  url: string,
  { write, signal }: { write: (line: string) => Promise<void>; signal: AbortSignal },
): Promise<DumpFacts> {
  const client = new Client({ connectionString: url, options: '-c search_path=switchyard,public' });
  client.on('error', () => undefined); // the statement at work rejects
  await client.connect();
  try {
    await client.query('begin isolation level repeatable read, read only');
    const queries: Queries = {
      query: async (text, values = []) => (await client.query(text, [...values])).rows as never[],
    };
    const rows: Record<string, number> = {};
    for (const table of await tablesInOrder(queries)) {
      signal.throwIfAborted();
      rows[table] = await dumpTable(queries, table, { write, signal });
    }
    const migrations = await queries.query<{ name: string }>('select name from migration order by name');
    const repositories = await queries.query<{ id: string; path: string }>(
      'select id, path from repository order by id',
    );
    return { migrations: migrations.map(({ name }) => name), rows, commits: await namedCommits(queries), repositories };
  } finally {
    await client.end();
  }
}

async function dumpTable(
  queries: Queries,
  table: string,
  { write, signal }: { write: (line: string) => Promise<void>; signal: AbortSignal },
): Promise<number> {
  await queries.query(`declare rows no scroll cursor for select to_jsonb(each)::text as line from "${table}" as each`);
  let count = 0;
  for (;;) {
    signal.throwIfAborted();
    const found = await queries.query<{ line: string }>(`fetch ${BATCH} from rows`);
    if (found.length === 0) break;
    // No line breaks are in it: JSON escapes them.
    await write(found.map(({ line }) => `${table}\t${line}\n`).join(''));
    count += found.length;
  }
  await queries.query('close rows');
  return count;
}

/** Every table of ours, each after those that its rows refer to. */
export async function tablesInOrder(queries: Queries): Promise<string[]> {
  const tables = await queries.query<{ name: string; needs: string[] }>(
    `select relname::text as name, array(
       select distinct other.relname::text from pg_constraint join pg_class other on other.oid = confrelid
       where contype = 'f' and conrelid = pg_class.oid and confrelid <> conrelid) as needs
     from pg_class where relnamespace = 'switchyard'::regnamespace and relkind = 'r' order by 1`,
  );
  const left = new Map(tables.filter(({ name }) => !LEFT_OUT.includes(name)).map(({ name, needs }) => [name, needs]));
  const ordered: string[] = [];
  while (left.size > 0) {
    const next = [...left].find(([, needs]) => !needs.some((need) => left.has(need)));
    if (next === undefined) throw new Error(`tables refer to each other in a circle: ${[...left.keys()].join(', ')}`);
    ordered.push(next[0]);
    left.delete(next[0]);
  }
  return ordered;
}

/** The commits that a git store must have, so that the rows can be believed. Discarded runs whose time in the trash is over have none. */
export async function namedCommits(queries: Queries): Promise<Map<string, string[]>> {
  const rows = await queries.query<{ repository: string; commits: string[] }>(
    `with alive as (select * from run where state_kind <> 'discarded' or state_before is not null)
     select repository, array_agg(distinct commit) as commits from (
       select repository, unnest(array[head, base_commit, delivered, merged ->> 'commit']) as commit from alive
       union all
       select step.repository, unnest(array[step.head, checkpoint, kept, stood_on])
         from step join alive on alive.id = step.run
       union all
       select alive.repository, evidence.commit from evidence join alive on alive.id = evidence.run) as named
     where commit is not null group by repository`,
  );
  return new Map(rows.map(({ repository, commits }) => [repository, commits]));
}

/**
 * Puts dumped rows into the empty tables of the version that they were dumped from, in one transaction of the caller's. Returns how many
 * came into each table.
 */
export async function loadDump(queries: Queries, lines: AsyncIterable<string>): Promise<Record<string, number>> {
  const rows: Record<string, number> = {};
  let batch: { table: string; lines: string[]; characters: number } | undefined;
  const flush = async () => {
    if (batch === undefined) return;
    await insertRows(queries, batch.table, batch.lines);
    rows[batch.table] = (rows[batch.table] ?? 0) + batch.lines.length;
    batch = undefined;
  };
  for await (const line of lines) {
    const end = line.indexOf('\t');
    const table = line.slice(0, end);
    if (batch?.table !== table || batch.lines.length >= BATCH || batch.characters > 4_000_000) await flush();
    batch ??= { table, lines: [], characters: 0 };
    batch.lines.push(line.slice(end + 1));
    batch.characters += line.length;
  }
  await flush();
  await restartNumbers(queries);
  return rows;
}

async function insertRows(queries: Queries, table: string, lines: readonly string[]): Promise<void> {
  const columns = await queries.query<{ name: string }>(
    `select quote_ident(attname) as name from pg_attribute
     where attrelid = ('switchyard.' || quote_ident($1))::regclass and attnum > 0 and not attisdropped and attgenerated = ''`,
    [table],
  );
  if (columns.length === 0) throw new Error(`there is no table ${table}`);
  const names = columns.map(({ name }) => name).join(', ');
  await queries.query(
    `insert into switchyard."${table}" (${names}) overriding system value
     select ${names} from jsonb_populate_recordset(null::switchyard."${table}", $1::jsonb)`,
    [`[${lines.join(',')}]`],
  );
}

/** Numbers that the database gives out go on after the highest that is there. */
async function restartNumbers(queries: Queries): Promise<void> {
  const columns = await queries.query<{ table: string; column: string }>(
    `select relname::text as table, attname::text as column from pg_attribute join pg_class on pg_class.oid = attrelid
     where relnamespace = 'switchyard'::regnamespace and relkind = 'r' and attidentity <> '' and not attisdropped`,
  );
  for (const { table, column } of columns) {
    await queries.query(
      `select setval(pg_get_serial_sequence('switchyard."${table}"', '${column}'), greatest(1, (select max("${column}") from switchyard."${table}")),
         exists (select 1 from switchyard."${table}"))`,
    );
  }
}
