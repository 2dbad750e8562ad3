import type { CheckEvidence } from '../domain/evidence.ts';
import type { Queries } from './database.ts';
import { json, storable } from './json.ts';

/** Stores what a check said of a commit; the latest word counts. */
export async function recordEvidence(queries: Queries, run: string, evidence: CheckEvidence, at: Date): Promise<void> {
  await queries.query(
    `insert into evidence (run, commit, name, tree, kind, verdict, items, report, duration_ms, at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
     on conflict (run, commit, name) do update set verdict = excluded.verdict, items = excluded.items, report = excluded.report,
       duration_ms = excluded.duration_ms, at = excluded.at`,
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

/** Names of the checks that passed on some head of the run. */
export async function passedChecks(queries: Queries, run: string): Promise<string[]> {
  const rows = await queries.query<{ name: string }>(
    `select distinct name from evidence where run = $1 and verdict = 'pass' order by name`,
    [run],
  );
  return rows.map((row) => row.name);
}
