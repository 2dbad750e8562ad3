import type { Queries } from './database.ts';
import type { AttemptRow, StepRow } from './rows.ts';

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
