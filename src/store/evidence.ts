import type { CheckEvidence, ExposedLogin } from '../domain/evidence.ts';
import type { Queries } from './database.ts';
import { json, storable } from './json.ts';
import type { RunRow } from './rows.ts';

/** Stores what a check said of a commit; the latest word counts. */
export async function recordEvidence(queries: Queries, run: string, evidence: CheckEvidence, at: Date): Promise<void> {
  await queries.query(
    `insert into evidence (run, commit, name, tree, kind, verdict, items, report, duration_ms, exposed, at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
     on conflict (run, commit, name) do update set verdict = excluded.verdict, items = excluded.items, report = excluded.report,
       duration_ms = excluded.duration_ms, exposed = excluded.exposed, at = excluded.at`,
    [
      run,
      evidence.commit,
      evidence.name,
      evidence.tree,
      evidence.kind,
      evidence.verdict,
      json(evidence.items),
      storable(evidence.report),
      evidence.durationMs,
      json(evidence.exposed ?? []),
      at,
    ],
  );
}

/** What is known of a commit, by check. */
export async function evidenceOn(
  queries: Queries,
  run: string,
  commit: string,
): Promise<{ name: string; verdict: string }[]> {
  return queries.query('select name, verdict from evidence where run = $1 and commit = $2 order by name', [
    run,
    commit,
  ]);
}

/** What was said of the run's commits since a person last took up the run, oldest first, and whether an agent has worked since. */
export async function verdictsSinceDecision(
  queries: Queries,
  run: string,
): Promise<(CheckEvidence & { at: number; workedSince: boolean })[]> {
  const rows = await queries.query<CheckEvidence & { at: Date; workedSince: boolean }>(
    `select name, kind, verdict, commit, tree, items, report, duration_ms as "durationMs", exposed, at,
       exists (select from step where step.run = evidence.run and agentic and started_at is not null
         and (ended_at is null or ended_at > at)) as "workedSince"
     from evidence where run = $1
       and at > coalesce((select max(at) from event where run = $1 and kind = 'run.resumed'), '-infinity')
     order by at, name`,
    [run],
  );
  return rows.map(({ exposed = [], ...row }) => ({
    ...row,
    ...(exposed.length === 0 ? {} : { exposed }),
    at: row.at.getTime(),
  }));
}

/** Names of the checks that passed on some head of the run, or on commits with this tree. */
export async function passedChecks(queries: Queries, run: string, tree?: string): Promise<string[]> {
  const rows = await queries.query<{ name: string }>(
    `select distinct name from evidence where run = $1 and verdict = 'pass' and ($2::text is null or tree = $2) order by name`,
    [run, tree ?? null],
  );
  return rows.map((row) => row.name);
}

/** From here on it is known of the run that this login lay within the walls of its agent; saying it again changes nothing. */
export async function recordExposed(
  queries: Queries,
  run: string,
  { agent, login }: ExposedLogin,
  at: Date,
): Promise<void> {
  const which = json({ agent, login });
  await queries.query(
    `update run set exposed = exposed || jsonb_build_array($2::jsonb || jsonb_build_object('since', $3::text))
     where id = $1 and not exposed @> jsonb_build_array($2::jsonb)`,
    [run, which, at.toISOString()],
  );
}

/** The logins that were exposed in the run until now, in the order in which they came to be. */
export async function exposedIn(queries: Queries, run: string): Promise<ExposedLogin[]> {
  const [row] = await queries.query<Pick<RunRow, 'exposed'>>('select exposed from run where id = $1', [run]);
  return (row?.exposed ?? []).map(({ agent, login }) => ({ agent, login }));
}

/**
 * What was said of a run's commits until then, and which logins were exposed by then, becomes known of another run, which has the same
 * commits.
 */
export async function copyEvidence(
  queries: Queries,
  { from, to, until }: { from: string; to: string; until: Date },
): Promise<void> {
  await queries.query(
    `insert into evidence (run, commit, name, tree, kind, verdict, items, report, duration_ms, exposed, at)
     select $2, commit, name, tree, kind, verdict, items, report, duration_ms, exposed, at from evidence where run = $1 and at <= $3`,
    [from, to, until],
  );
  await queries.query(
    `update run set exposed = coalesce((
       select jsonb_agg(one order by place) from run as other, jsonb_array_elements(other.exposed) with ordinality as each(one, place)
       where other.id = $1 and (one ->> 'since')::timestamptz <= $3), '[]')
     where id = $2`,
    [from, to, until],
  );
}
