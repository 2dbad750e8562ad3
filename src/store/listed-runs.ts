import type { StepState } from '../domain/run.ts';
import type { Queries } from './database.ts';
import type { RunRow } from './rows.ts';

/** A run with what people want to see beside it, so that a list of any length costs one query. */
export interface ListedRun extends RunRow {
  readonly title: string;
  readonly repository_path: string;
  /** The step that it is in, else the last one that it was in; null before the first. */
  readonly step: { readonly id: string; readonly node: string; readonly n: number; readonly state: StepState } | null;
}

const LISTED = `
  select run.*, task.title, repository.path as repository_path, at.step from run
  join task on task.id = run.task join repository on repository.id = run.repository
  left join lateral (
    select jsonb_build_object('id', id, 'node', node, 'n', n, 'state', state) as step
    from step where step.run = run.id order by position desc limit 1) as at on true`;

/** Newest first. */
export async function listRuns(
  queries: Queries,
  filter: { repository?: string | undefined; limit: number },
): Promise<ListedRun[]> {
  return queries.query<ListedRun>(
    `${LISTED} where $1::text is null or run.repository = $1 order by run.created_at desc, run.id desc limit $2`,
    [filter.repository ?? null, filter.limit],
  );
}

/** The same of one run. */
export async function listedRun(queries: Queries, id: string): Promise<ListedRun> {
  const [row] = await queries.query<ListedRun>(`${LISTED} where run.id = $1`, [id]);
  if (row === undefined) throw new Error(`run ${id} is gone`);
  return row;
}
