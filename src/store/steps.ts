import { insert, update } from './changes.ts';
import type { Queries } from './database.ts';
import { json, storable } from './json.ts';
import type { AttemptRow, StepRow } from './rows.ts';

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

/** The next attempt begins: from here on only it may write for the step, which is returned as it is then. */
export async function beginAttempt(
  queries: Queries,
  { step, n, worker, at }: { step: string; n: number; worker: string; at: Date },
): Promise<StepRow> {
  const [row] = await queries.query<StepRow>(
    `with begun as (insert into attempt (step, n, worker, seen_at, started_at) values ($1, $2, $3, $4, $4))
     update step set state = 'running', lease = $2, worker = $3, started_at = coalesce(started_at, $4) where id = $1 returning *`,
    [step, n, worker, at],
  );
  if (row === undefined) throw new Error(`step ${step} is gone`);
  return row;
}

export async function attemptsOf(queries: Queries, step: string): Promise<AttemptRow[]> {
  return queries.query<AttemptRow>('select * from attempt where step = $1 order by n', [step]);
}

/** The attempt that holds the lease of the step that the run is in; undefined while none is at work. */
export async function attemptAtWork(queries: Queries, run: string): Promise<AttemptRow | undefined> {
  const [row] = await queries.query<AttemptRow>(
    `select attempt.* from step join attempt on attempt.step = step.id and attempt.n = step.lease
     where step.run = $1 and step.state = 'running' and attempt.ended_at is null order by step.position desc limit 1`,
    [run],
  );
  return row;
}

/** The agent whose session an attempt has told. */
export async function agentOf(
  queries: Queries,
  { step, n }: Pick<AttemptRow, 'step' | 'n'>,
): Promise<string | undefined> {
  const [row] = await queries.query<Pick<AttemptRow, 'agent'>>('select agent from attempt where step = $1 and n = $2', [
    step,
    n,
  ]);
  return row?.agent ?? undefined;
}

export async function countAttempts(queries: Queries, run: string): Promise<Map<string, number>> {
  const rows = await queries.query<{ step: string; count: string }>(
    'select step, count(*) from attempt where step in (select id from step where run = $1) group by 1',
    [run],
  );
  return new Map(rows.map((row) => [row.step, Number(row.count)]));
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

/** Ends an attempt that is still open; false when it was not. */
export async function endAttempt(
  queries: Queries,
  { step, n }: Pick<AttemptRow, 'step' | 'n'>,
  { result, at }: { result: string; at: Date },
): Promise<boolean> {
  const rows = await queries.query(
    `update attempt set ended_at = $3, seen_at = greatest(seen_at, $3), result = $4
     where step = $1 and n = $2 and ended_at is null returning 1`,
    [step, n, at, result],
  );
  return rows.length === 1;
}

/** Says of the open attempts of these steps that their worker lives; returns those whose run is to be cancelled. */
export async function seeAttempts(queries: Queries, steps: readonly string[]): Promise<string[]> {
  const rows = await queries.query<{ id: string }>(
    `with seen as (
       update attempt set seen_at = now() from step
       where step.id = any($1) and attempt.step = step.id and attempt.n = step.lease and attempt.ended_at is null)
     select step.id from step join run on run.id = step.run where step.id = any($1) and run.cancelling`,
    [steps],
  );
  return rows.map((row) => row.id);
}

/** All workers that have ever begun to work on the run. */
export async function workersOf(queries: Queries, run: string): Promise<string[]> {
  const rows = await queries.query<{ worker: string }>(
    'select distinct attempt.worker from attempt join step on step.id = attempt.step where step.run = $1',
    [run],
  );
  return rows.map((row) => row.worker);
}

/** The attempts that a worker has begun and not ended. */
export async function openAttempts(queries: Queries, worker: string): Promise<AttemptRow[]> {
  return queries.query<AttemptRow>('select * from attempt where worker = $1 and ended_at is null', [worker]);
}

/** How many events the attempt has written; undefined when it does not hold the step's lease any more. */
export async function toldBy(
  queries: Queries,
  { step, n }: Pick<AttemptRow, 'step' | 'n'>,
): Promise<number | undefined> {
  const [row] = await queries.query<Pick<AttemptRow, 'told'>>(
    'select told from attempt join step on step.id = attempt.step where attempt.step = $1 and attempt.n = $2 and step.lease = $2',
    [step, n],
  );
  return row?.told;
}

export async function tell(queries: Queries, { step, n }: Pick<AttemptRow, 'step' | 'n'>, told: number): Promise<void> {
  await queries.query('update attempt set told = $3 where step = $1 and n = $2', [step, n, told]);
}

/** Remembers walls within which this attempt started a process. */
export async function addNamespace(
  queries: Queries,
  key: { step: string; n: number },
  namespace: string,
): Promise<void> {
  await queries.query(
    'update attempt set namespaces = array_append(namespaces, $3) where step = $1 and n = $2 and not $3 = any(namespaces)',
    [key.step, key.n, namespace],
  );
}
