import type { Queries } from './database.ts';
import { json, storable } from './json.ts';

/** JSON columns, whose values must be sent as text: node-postgres would make arrays of PostgreSQL out of ours. */
const JSON_COLUMNS: ReadonlySet<string> = new Set([
  'state', 'state_before', 'blueprint', 'flow', 'settings', 'merged', 'consumed', 'granted', 'said', 'inputs', 'outputs',
  'links', 'attachments', 'actor', 'payload', 'events', 'items',
]);

function encode(column: string, value: unknown): unknown {
  if (value === null || value === undefined) return value;
  if (JSON_COLUMNS.has(column)) return json(value);
  return typeof value === 'string' ? storable(value) : value;
}

/** Inserts one row; a row with the same key is left as it is, and false returned. */
export async function insert(queries: Queries, table: string, row: Readonly<Record<string, unknown>>): Promise<boolean> {
  const columns = Object.keys(row);
  const inserted = await queries.query(
    `insert into ${table} (${columns.map(quoted).join(', ')}) values (${columns.map((_, index) => `$${index + 1}`).join(', ')})
     on conflict do nothing returning 1`,
    columns.map((column) => encode(column, row[column])),
  );
  return inserted.length === 1;
}

/** Sets columns of the row with that id. */
export async function update(queries: Queries, table: string, id: string, changes: Readonly<Record<string, unknown>>): Promise<void> {
  const columns = Object.keys(changes).filter((column) => changes[column] !== undefined);
  if (columns.length === 0) return;
  await queries.query(
    `update ${table} set ${columns.map((column, index) => `${quoted(column)} = $${index + 2}`).join(', ')} where id = $1`,
    [id, ...columns.map((column) => encode(column, changes[column]))],
  );
}

const quoted = (name: string) => `"${name}"`;
