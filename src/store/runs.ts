import { isEnded, type RunStateKind } from '../domain/run.ts';
import { SwitchyardError } from '../lib/error.ts';
import { insert, update } from './changes.ts';
import type { Queries } from './database.ts';
import type { RunRow } from './rows.ts';

export type NewRun = Omit<RunRow, 'state_kind' | 'state_before' | 'delivered' | 'merged' | 'granted' | 'said' | 'cancelling' | 'ended_at'>;

/** False when a run of that id is there already: an earlier commit went through. */
export function insertRun(queries: Queries, run: NewRun): Promise<boolean> {
  return insert(queries, 'run', { ...run });
}

export async function updateRun(queries: Queries, id: string, changes: Partial<Omit<RunRow, 'id' | 'state_kind'>>): Promise<void> {
  await update(queries, 'run', id, changes);
}

/** The run row, locked until the transaction ends: whoever changes a run holds it. */
export async function lockRun(queries: Queries, id: string): Promise<RunRow> {
  const [row] = await queries.query<RunRow>('select * from run where id = $1 for update', [id]);
  if (row === undefined) throw notFound(id);
  return row;
}

export async function getRun(queries: Queries, id: string): Promise<RunRow> {
  const [row] = await queries.query<RunRow>('select * from run where id = $1', [id]);
  if (row === undefined) throw notFound(id);
  return row;
}

/** Finds a run by id, unique prefix of an id, slug, or `@last`. */
export async function resolveRun(queries: Queries, reference: string): Promise<RunRow> {
  if (reference === '@last') {
    const [row] = await queries.query<RunRow>('select * from run order by created_at desc, id desc limit 1');
    if (row === undefined) throw notFound(reference);
    return row;
  }
  const rows = await queries.query<RunRow>(
    `select * from run where id = $1 or slug = $1 or starts_with(id, $1)
     order by (id = $1) desc, (slug = $1) desc limit 2`,
    [reference],
  );
  const [first, second] = rows;
  if (first === undefined || reference === '') throw notFound(reference);
  if (second !== undefined && first.id !== reference && first.slug !== reference) throw ambiguous(reference);
  return first;
}

export async function listRuns(queries: Queries, filter: { repository?: string | undefined; limit: number }): Promise<RunRow[]> {
  return queries.query<RunRow>('select * from run where $1::text is null or repository = $1 order by created_at desc, id desc limit $2', [
    filter.repository ?? null,
    filter.limit,
  ]);
}

export async function countRuns(queries: Queries): Promise<Partial<Record<RunStateKind, number>>> {
  const rows = await queries.query<{ state_kind: RunStateKind; count: string }>(
    `select state_kind, count(*) from run where state_kind in ('queued', 'running', 'parked') group by 1`,
  );
  return Object.fromEntries(rows.map((row) => [row.state_kind, Number(row.count)]));
}

/** A slug that no run has: the wanted one, or with the first number that is free. */
export async function freeSlug(queries: Queries, wanted: string): Promise<string> {
  const taken = new Set(
    (await queries.query<{ slug: string }>('select slug from run where slug = $1 or slug like $2', [wanted, `${wanted}-%`])).map((row) => row.slug),
  );
  if (!taken.has(wanted)) return wanted;
  for (let n = 2; ; n++) if (!taken.has(`${wanted}-${n}`)) return `${wanted}-${n}`;
}

/** Whether the row says that nothing is left to do. */
export function isOver(run: RunRow): boolean {
  return isEnded(run.state.kind);
}

function notFound(reference: string): SwitchyardError {
  return new SwitchyardError({ code: 'run/not-found', message: `There is no run ${JSON.stringify(reference)}.`, hint: 'See `switchyard ls --all`.' });
}

function ambiguous(reference: string): SwitchyardError {
  return new SwitchyardError({
    code: 'run/ambiguous',
    message: `Several runs begin with ${JSON.stringify(reference)}.`,
    hint: 'Give more letters of the id, or the slug.',
  });
}
