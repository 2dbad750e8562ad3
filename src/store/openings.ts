import type { Database, Queries } from './database.ts';

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
