import type { Queries } from './database.ts';
import { json, storable } from './json.ts';

/** Columns that are arrays of PostgreSQL; every other array or object is a JSON column, and goes there as text. */
const TEXT_ARRAYS: ReadonlySet<string> = new Set(['labels', 'namespaces']);

function encode(column: string, value: unknown): unknown {
  if (typeof value === 'string') return storable(value);
  if (typeof value !== 'object' || value === null || value instanceof Date || TEXT_ARRAYS.has(column)) return value;
  return json(value);
}

/**
 * Inserts one row; a row with the same key is left as it is, and false returned. What is `looked` up is SQL by column, over the one row
 * that `from` gives; without such a row nothing is inserted, and false returned.
 */
export async function insert(
  queries: Queries,
  table: string,
  row: Readonly<Record<string, unknown>>,
  { looked, from }: { readonly looked: Readonly<Record<string, string>>; readonly from: string } = {
    looked: {},
    from: '',
  },
): Promise<boolean> {
  const columns = Object.keys(row);
  const values = [...columns.map((_, index) => `$${index + 1}`), ...Object.values(looked)].join(', ');
  const inserted = await queries.query(
    `insert into ${table} (${[...columns, ...Object.keys(looked)].map(quoted).join(', ')})
     ${from === '' ? `values (${values})` : `select ${values} from ${from}`} on conflict do nothing returning 1`,
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
  const { assignments, values } = assigned(changes, 2);
  if (values.length > 0)
    await queries.query(`update ${table} set ${assignments.join(', ')} where id = $1`, [id, ...values]);
}

/** What stands behind `set` for columns that change, and the values, the first of which is parameter number `first`. */
export function assigned(
  changes: Readonly<Record<string, unknown>>,
  first: number,
): { readonly assignments: readonly string[]; readonly values: readonly unknown[] } {
  const columns = Object.keys(changes).filter((column) => changes[column] !== undefined);
  return {
    assignments: columns.map((column, index) => `${quoted(column)} = $${index + first}`),
    values: columns.map((column) => encode(column, changes[column])),
  };
}

const quoted = (name: string) => `"${name}"`;
