import type { Queries } from './database.ts';

/** The latest session of a node in a run: what `session: resume NODE` goes on with. */
export async function sessionOf(
  queries: Queries,
  run: string,
  node: string,
): Promise<{ agent: string; id: string } | undefined> {
  const [row] = await queries.query<{ agent: string; id: string }>(
    'select agent, id from session where run = $1 and node = $2',
    [run, node],
  );
  return row;
}

export interface NewSession {
  readonly run: string;
  readonly node: string;
  readonly agent: string;
  readonly id: string;
  readonly at: Date;
  /** The attempt that began or resumed it. */
  readonly step: string;
  readonly attempt: number;
}

/** Remembers it for the node and for the attempt; not when another attempt has taken over meanwhile. */
export async function rememberSession(queries: Queries, session: NewSession): Promise<void> {
  await queries.query(
    `with mine as (
       update attempt set session = $4, agent = $3 from step
       where step = $6 and attempt.n = $7 and step.id = $6 and step.lease = $7 returning 1)
     insert into session (run, node, agent, id, updated_at) select $1, $2, $3, $4, $5 from mine
     on conflict (run, node) do update set agent = excluded.agent, id = excluded.id, updated_at = excluded.updated_at`,
    [session.run, session.node, session.agent, session.id, session.at, session.step, session.attempt],
  );
}
