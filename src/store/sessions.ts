import { insert } from './changes.ts';
import type { Queries } from './database.ts';

export interface SessionRow {
  readonly agent: string;
  readonly id: string;
  readonly standing: 'own' | 'inherited' | 'handed-over';
}

/** The latest session of a node in a run: what `session: resume NODE` goes on with. */
export async function sessionOf(queries: Queries, run: string, node: string): Promise<SessionRow | undefined> {
  const [row] = await queries.query<SessionRow>(
    'select agent, id, standing from session where run = $1 and node = $2',
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
  /** The inherited session that this one goes on for, at whichever node that stands. */
  readonly goesOnFor: string | null;
}

/** Remembers it for the node and for the attempt; not when another attempt has taken over meanwhile. */
export async function rememberSession(queries: Queries, session: NewSession): Promise<void> {
  await queries.query(
    `with mine as (
       update attempt set session = $4, agent = $3 from step
       where step = $6 and attempt.n = $7 and step.id = $6 and step.lease = $7 returning 1),
     others as (
       update session set id = $4, standing = 'own', updated_at = $5 from mine
       where run = $1 and node <> $2 and agent = $3 and id = $8 and standing = 'inherited')
     insert into session (run, node, agent, id, updated_at) select $1, $2, $3, $4, $5 from mine
     on conflict (run, node) do update set agent = excluded.agent, id = excluded.id, standing = 'own', updated_at = excluded.updated_at`,
    [
      session.run,
      session.node,
      session.agent,
      session.id,
      session.at,
      session.step,
      session.attempt,
      session.goesOnFor,
    ],
  );
}

/** The session that each node had after these steps of a run: that of the latest attempt which told one. */
export async function sessionsAfter(
  queries: Queries,
  steps: readonly string[],
): Promise<{ node: string; agent: string; id: string }[]> {
  return queries.query(
    `select distinct on (step.node) step.node, attempt.agent, attempt.session as id
     from attempt join step on step.id = attempt.step
     where step.id = any($1) and attempt.session is not null and attempt.agent is not null
     order by step.node, step.position desc, attempt.n desc`,
    [steps],
  );
}

/** The sessions of a fork that it has from the run that it was forked from, and has not gone on with yet. */
export async function inheritedSessions(queries: Queries, run: string): Promise<(SessionRow & { node: string })[]> {
  return queries.query<SessionRow & { node: string }>(
    `select node, agent, id, standing from session where run = $1 and standing <> 'own'`,
    [run],
  );
}

export async function insertSession(
  queries: Queries,
  session: SessionRow & { readonly run: string; readonly node: string; readonly updated_at: Date },
): Promise<void> {
  await insert(queries, 'session', { ...session });
}
