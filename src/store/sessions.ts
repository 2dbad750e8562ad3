import type { Queries } from './database.ts';

/** The latest session of a node in a run: what `session: resume NODE` goes on with. */
export async function sessionOf(queries: Queries, run: string, node: string): Promise<{ agent: string; id: string } | undefined> {
  const [row] = await queries.query<{ agent: string; id: string }>('select agent, id from session where run = $1 and node = $2', [run, node]);
  return row;
}

export async function rememberSession(queries: Queries, session: { run: string; node: string; agent: string; id: string; at: Date }): Promise<void> {
  await queries.query(
    `insert into session (run, node, agent, id, updated_at) values ($1, $2, $3, $4, $5)
     on conflict (run, node) do update set agent = excluded.agent, id = excluded.id, updated_at = excluded.updated_at`,
    [session.run, session.node, session.agent, session.id, session.at],
  );
}
