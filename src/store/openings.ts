import type { Opening } from '../domain/opening.ts';
import type { Database, Queries } from './database.ts';
import type { RunRow } from './rows.ts';

/** Remembers walls within which something was started for a person who has the run open. */
export async function addOpeningNamespace(
  queries: Queries,
  { run, opening }: { run: string; opening: string },
  namespace: string,
): Promise<boolean> {
  const changed = await queries.query(
    `update run set opening = jsonb_set(opening, '{namespaces}', (opening -> 'namespaces') || to_jsonb($3::text))
     where id = $1 and opening ->> 'id' = $2 returning 1`,
    [run, opening, namespace],
  );
  return changed.length === 1;
}

/** Remembers the program that a person works with, and its walls; false when that opening is over. */
export async function setOpeningProgram(
  queries: Queries,
  { run, opening }: { run: string; opening: string },
  program: NonNullable<Opening['program']>,
): Promise<boolean> {
  const walls = program.namespace === undefined ? [] : [program.namespace];
  const changed = await queries.query(
    `update run set opening = opening || jsonb_build_object(
       'program', $3::jsonb, 'used', true, 'namespaces', (opening -> 'namespaces') || $4::jsonb)
     where id = $1 and opening ->> 'id' = $2 and opening ->> 'phase' = 'open' returning 1`,
    [run, opening, JSON.stringify(program), JSON.stringify(walls)],
  );
  return changed.length === 1;
}

/** The runs that persons have asked for or have open with that worker. */
export async function openedWith(queries: Queries, worker: string): Promise<Pick<RunRow, 'id' | 'opening'>[]> {
  return queries.query<Pick<RunRow, 'id' | 'opening'>>(
    `select id, opening from run where opening is not null and opening ->> 'worker' = $1`,
    [worker],
  );
}

/** Whether a worker is removing the run's workspace right now. */
export async function isBeingRemoved(database: Pick<Database, 'query'>, run: string, worker: string): Promise<boolean> {
  const found = await database.query(
    `select 1 from outbox where run = $1 and kind = 'remove-workspace' and done_at is null and worker = $2 and taken_by = $2`,
    [run, worker],
  );
  return found.length > 0;
}

/** The latest session of any node in a run. */
export async function latestSession(
  queries: Queries,
  run: string,
): Promise<{ node: string; agent: string; id: string } | undefined> {
  const [row] = await queries.query<{ node: string; agent: string; id: string }>(
    'select node, agent, id from session where run = $1 order by updated_at desc limit 1',
    [run],
  );
  return row;
}
