import { insert, update } from './changes.ts';
import type { Queries } from './database.ts';
import type { AttemptRow, StepRow } from './rows.ts';

export type NewStep = Pick<StepRow, 'id' | 'run' | 'repository' | 'node' | 'n' | 'kind' | 'agentic' | 'aside' | 'provider' | 'state' | 'inputs' | 'priority' | 'created_at'>;

export async function insertStep(queries: Queries, step: NewStep): Promise<void> {
  await insert(queries, 'step', { ...step });
}

export async function updateStep(queries: Queries, id: string, changes: Partial<StepRow>): Promise<void> {
  await update(queries, 'step', id, changes);
}

export async function getStep(queries: Queries, id: string): Promise<StepRow | undefined> {
  const [row] = await queries.query<StepRow>('select * from step where id = $1', [id]);
  return row;
}

export async function stepsOf(queries: Queries, run: string): Promise<StepRow[]> {
  return queries.query<StepRow>('select * from step where run = $1 order by created_at, started_at nulls last, node, n', [run]);
}

/** The step that a run is in, when it is in one. */
export async function openStep(queries: Queries, run: string): Promise<StepRow | undefined> {
  const [row] = await queries.query<StepRow>(`select * from step where run = $1 and state <> 'ended'`, [run]);
  return row;
}

export async function latestStep(queries: Queries, run: string): Promise<StepRow | undefined> {
  const [row] = await queries.query<StepRow>('select * from step where run = $1 order by created_at desc limit 1', [run]);
  return row;
}

/** The latest ended step of a node. */
export async function latestOfNode(queries: Queries, run: string, node: string): Promise<StepRow | undefined> {
  const [row] = await queries.query<StepRow>(`select * from step where run = $1 and node = $2 and state = 'ended' order by n desc limit 1`, [run, node]);
  return row;
}

export async function insertAttempt(queries: Queries, attempt: Pick<AttemptRow, 'step' | 'n' | 'worker' | 'seen_at' | 'started_at'>): Promise<void> {
  await insert(queries, 'attempt', { ...attempt });
}

export async function attemptsOf(queries: Queries, step: string): Promise<AttemptRow[]> {
  return queries.query<AttemptRow>('select * from attempt where step = $1 order by n', [step]);
}

export async function countAttempts(queries: Queries, run: string): Promise<Map<string, number>> {
  const rows = await queries.query<{ step: string; count: string }>(
    'select step, count(*) from attempt where step in (select id from step where run = $1) group by 1',
    [run],
  );
  return new Map(rows.map((row) => [row.step, Number(row.count)]));
}

/** Ends an attempt that is still open; false when it was not. */
export async function endAttempt(queries: Queries, key: { step: string; n: number }, result: string, at: Date): Promise<boolean> {
  const rows = await queries.query('update attempt set ended_at = $3, seen_at = greatest(seen_at, $3), result = $4 where step = $1 and n = $2 and ended_at is null returning 1', [
    key.step,
    key.n,
    at,
    result,
  ]);
  return rows.length === 1;
}

/** The attempts that a worker has begun and not ended. */
export async function openAttempts(queries: Queries, worker: string): Promise<AttemptRow[]> {
  return queries.query<AttemptRow>('select * from attempt where worker = $1 and ended_at is null', [worker]);
}

/** Remembers walls within which this attempt started a process. */
export async function addNamespace(queries: Queries, key: { step: string; n: number }, namespace: string): Promise<void> {
  await queries.query('update attempt set namespaces = array_append(namespaces, $3) where step = $1 and n = $2 and not $3 = any(namespaces)', [key.step, key.n, namespace]);
}
