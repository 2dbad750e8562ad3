import type { Queries } from './database.ts';
import { json, storable } from './json.ts';

/** Columns that are arrays of PostgreSQL; every other array or object is a JSON column, and goes there as text. */
const TEXT_ARRAYS: ReadonlySet<string> = new Set(['labels', 'namespaces']);

function encode(column: string, value: unknown): unknown {
  if (typeof value === 'string') return storable(value);
  if (typeof value !== 'object' || value === null || value instanceof Date || TEXT_ARRAYS.has(column)) return value;
  return json(value);
}

/** Inserts one row; a row with the same key is left as it is, and false returned. */
export async function insert(
  queries: Queries,
  table: string,
  row: Readonly<Record<string, unknown>>,
): Promise<boolean> {
  const columns = Object.keys(row);
  const inserted = await queries.query(
    `insert into ${table} (${columns.map(quoted).join(', ')}) values (${columns.map((_, index) => `$${index + 1}`).join(', ')})
     on conflict do nothing returning 1`,
    columns.map((column) => encode(column, row[column])),
  );
  return inserted.length === 1;
}

/** Sets columns of the row with that id. */
export async function update(
  queries: Queries,
  table: string,
  id: string,
  changes: Readonly<Record<string, unknown>>,
): Promise<void> {
  const columns = Object.keys(changes).filter((column) => changes[column] !== undefined);
  if (columns.length === 0) return;
  await queries.query(
    `update ${table} set ${columns.map((column, index) => `${quoted(column)} = $${index + 2}`).join(', ')} where id = $1`,
    [id, ...columns.map((column) => encode(column, changes[column]))],
  );
}

const quoted = (name: string) => `"${name}"`;
