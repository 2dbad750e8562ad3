import type { Database } from '../../src/store/database.ts';

/** Tables that a run has rows in, each after those that it refers to, with what differs from one run to the next: SQL over `nth`. */
const TABLES: readonly {
  readonly table: string;
  readonly of: string;
  readonly own: Readonly<Record<string, string>>;
}[] = [
  { table: 'task', of: 'id = (select task from run where id = $1)', own: { id: idOf('id') } },
  { table: 'task_repository', of: 'task = (select task from run where id = $1)', own: { task: idOf('task') } },
  {
    table: 'run',
    of: 'id = $1',
    own: {
      id: idOf('id'),
      task: idOf('task'),
      slug: "slug || '-run-' || nth",
      created_at: "created_at - nth * interval '5 minutes'",
      ended_at: "ended_at - nth * interval '5 minutes'",
    },
  },
  { table: 'step', of: 'run = $1', own: { id: idOf('id'), run: idOf('run') } },
  { table: 'attempt', of: 'step in (select id from step where run = $1)', own: { step: idOf('step') } },
  { table: 'session', of: 'run = $1', own: { run: idOf('run') } },
  { table: 'event', of: 'run = $1', own: { run: idOf('run') } },
  { table: 'transcript', of: 'run = $1', own: { run: idOf('run') } },
  { table: 'evidence', of: 'run = $1', own: { run: idOf('run') } },
  { table: 'outbox', of: 'run = $1', own: { id: idOf('id'), run: idOf('run') } },
];

const BATCH = 2_000;

/**
 * Fills the store with ended runs, each with all the rows that the given one has, numbered `from` up to `to`. Statistics are then up
 * to date, as they are in a store that has grown by and by.
 */
export async function fillStore(
  database: Database,
  run: string,
  { from, to }: { from: number; to: number },
): Promise<void> {
  const copies = await Promise.all(
    TABLES.map(async ({ table, of, own }) => {
      const columns = await database.query<{ name: string }>(
        `select column_name as name from information_schema.columns where table_schema = 'switchyard' and table_name = $1
           and is_generated = 'NEVER' and is_identity = 'NO' order by ordinal_position`,
        [table],
      );
      const names = columns.map(({ name }) => name);
      return `insert into ${table} (${names.join(', ')}) select ${names.map((name) => own[name] ?? name).join(', ')}
        from ${table}, generate_series($2::int, $3::int) nth where ${of}`;
    }),
  );
  for (let first = from; first <= to; first += BATCH) {
    for (const copy of copies) await database.query(copy, [run, first, Math.min(to, first + BATCH - 1)]);
  }
  for (const { table } of TABLES) await database.query(`vacuum analyze ${table}`);
}

/** The same as `copiedId`. Ids are random, so that their indexes are as scattered as those of real runs. */
function idOf(column: string): string {
  return `left(md5(${column} || '-' || nth), 20)`;
}
