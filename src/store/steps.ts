import { insert, update } from './changes.ts';
import type { Queries } from './database.ts';
import { json, storable } from './json.ts';
import type { StepRow } from './rows.ts';

type NewStepColumn =
  | 'id'
  | 'run'
  | 'repository'
  | 'node'
  | 'n'
  | 'kind'
  | 'agentic'
  | 'aside'
  | 'follow_up'
  | 'provider'
  | 'state'
  | 'inputs'
  | 'priority'
  | 'created_at';
export type NewStep = Pick<StepRow, Exclude<NewStepColumn, 'follow_up'>> &
  Partial<Pick<StepRow, 'follow_up' | 'holds'>>;

/** Inserts a step of a run that is there. It has waited for as long as its run has not been with a person. */
export async function insertStep(queries: Queries, step: NewStep): Promise<void> {
  const place = (column: keyof NewStep) => `$${Object.keys(step).indexOf(column) + 1}`;
  const since = `coalesce((select before.since from step before where before.run = run.id and not before.copied and state_kind in ('queued', 'running')
    order by before.position desc limit 1), ${place('created_at')})`;
  const looked = { requester: 'run.requester', since };
  if (!(await insert(queries, 'step', { ...step }, { looked, from: `run where run.id = ${place('run')}` })))
    throw new Error(`there is no run ${step.run}, or it has a step ${step.node} #${step.n} already`);
}

/** A step that has ended, as a part of the history of another run; nobody has worked on it there. */
export async function copyStep(
  queries: Queries,
  step: StepRow,
  as: Pick<StepRow, 'id' | 'run' | 'requester' | 'since'>,
): Promise<void> {
  const { position: _, ...row } = step as StepRow & { readonly position: string };
  const nobody = { worker: null, job: null, queue: null, lease: 0, failures: 0, checkpoint: null };
  await insert(queries, 'step', { ...row, ...nobody, ...as, copied: true });
}

export async function updateStep(queries: Queries, id: string, changes: Partial<StepRow>): Promise<void> {
  await update(queries, 'step', id, changes);
}

/** Whether that attempt still holds its step. */
export async function isAtWork(
  queries: Queries,
  { step, n }: { readonly step: string; readonly n: number },
): Promise<boolean> {
  const found = await queries.query(`select 1 from step where id = $1 and lease = $2 and state = 'running'`, [step, n]);
  return found.length > 0;
}

export async function getStep(queries: Queries, id: string): Promise<StepRow | undefined> {
  const [row] = await queries.query<StepRow>('select * from step where id = $1', [id]);
  return row;
}

export async function stepsOf(queries: Queries, run: string): Promise<StepRow[]> {
  return queries.query<StepRow>('select * from step where run = $1 order by position', [run]);
}

/** The step that a run is in, when it is in one: never more than one at a time. */
export async function openStep(queries: Queries, run: string): Promise<StepRow | undefined> {
  const [row] = await queries.query<StepRow>(`select * from step where run = $1 and state <> 'ended'`, [run]);
  return row;
}

/** The same with its row locked, for those who take it out of the line: admission, which does not hold its run, then passes it over. */
export async function lockOpenStep(queries: Queries, run: string): Promise<StepRow | undefined> {
  const [row] = await queries.query<StepRow>(
    `select * from step where run = $1 and state <> 'ended' for no key update`,
    [run],
  );
  return row;
}

export async function latestStep(queries: Queries, run: string): Promise<StepRow | undefined> {
  const [row] = await queries.query<StepRow>('select * from step where run = $1 order by position desc limit 1', [run]);
  return row;
}

/** The latest ended step of a node. */
export async function latestOfNode(queries: Queries, run: string, node: string): Promise<StepRow | undefined> {
  const [row] = await queries.query<StepRow>(
    `select * from step where run = $1 and node = $2 and state = 'ended' order by n desc limit 1`,
    [run, node],
  );
  return row;
}

/** The latest step of an agent that the run has come to, ended or not. */
export async function latestAgentStep(queries: Queries, run: string): Promise<StepRow | undefined> {
  const [row] = await queries.query<StepRow>(
    'select * from step where run = $1 and agentic and not aside order by position desc limit 1',
    [run],
  );
  return row;
}

/** For a step that begins: what `latestKept` and `leftCheckpoint` say, and who was the last to work on the run before it. */
export async function leftFor(
  queries: Queries,
  step: Pick<StepRow, 'id' | 'run'>,
): Promise<{ kept: string | undefined; checkpoint: string | undefined; worker: string | undefined }> {
  const [row] = await queries.query<Record<'kept' | 'checkpoint' | 'worker', string | null>>(
    `select
       (select kept from step where run = $1 and kept is not null order by position desc limit 1) as kept,
       (select case when state = 'ended' then checkpoint end from step where run = $1 and worker is not null order by position desc limit 1) as checkpoint,
       (select worker from step where run = $1 and id <> $2 and worker is not null order by position desc limit 1) as worker`,
    [step.run, step.id],
  );
  return {
    kept: row?.kept ?? undefined,
    checkpoint: row?.checkpoint ?? undefined,
    worker: row?.worker ?? undefined,
  };
}

/** The latest checkpoint with agents' sessions and carried files that an ended step of the run has left. */
export async function latestKept(queries: Queries, run: string): Promise<string | undefined> {
  const [row] = await queries.query<{ kept: string }>(
    'select kept from step where run = $1 and kept is not null order by position desc limit 1',
    [run],
  );
  return row?.kept;
}

/** The checkpoint with uncollected work of the run's latest step that anybody has worked on, if that has ended without taking it in. */
export async function leftCheckpoint(queries: Queries, run: string): Promise<string | undefined> {
  const [row] = await queries.query<Pick<StepRow, 'checkpoint'>>(
    `select case when state = 'ended' then checkpoint end as checkpoint from step where run = $1 and worker is not null order by position desc limit 1`,
    [run],
  );
  return row?.checkpoint ?? undefined;
}

/** The number of the latest step of each node. */
export async function latestNumbers(queries: Queries, run: string): Promise<Record<string, number>> {
  const rows = await queries.query<{ node: string; n: number }>(
    'select node, max(n)::int as n from step where run = $1 group by node',
    [run],
  );
  return Object.fromEntries(rows.map(({ node, n }) => [node, n]));
}

export interface StepEnd {
  readonly id: string;
  /** The attempt that ends it, and what becomes of that. */
  readonly attempt: number;
  readonly result: string;
  readonly outcome: string;
  readonly detail: string | undefined;
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly head: string;
  /** The checkpoint at its end, where it has one. */
  readonly kept: string | null;
  /** Whether the attempt had the workspace; else work that an earlier one has left is still in the step's checkpoint. */
  readonly opened: boolean;
  readonly at: Date;
}

/** Ends a step, and with it the attempt that holds its lease; false, and nothing is changed, when another one does or the step is over. */
export async function endStep(queries: Queries, end: StepEnd): Promise<boolean> {
  const ended = await queries.query(
    `with ended as (
       update step set state = 'ended', outcome = $4, detail = $5, outputs = $6, head = $7, kept = $9, checkpoint = case when $10 then null else checkpoint end, ended_at = $8
       where id = $1 and lease = $2 and state = 'running' returning id)
     update attempt set ended_at = $8, seen_at = greatest(seen_at, $8), result = $3 from ended
     where attempt.step = ended.id and attempt.n = $2 and attempt.ended_at is null returning 1`,
    [
      end.id,
      end.attempt,
      end.result,
      end.outcome,
      end.detail === undefined ? null : storable(end.detail),
      json(end.outputs),
      end.head,
      end.at,
      end.kept,
      end.opened,
    ],
  );
  return ended.length === 1;
}
