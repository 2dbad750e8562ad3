import type { Database, Queries } from './database.ts';
import { appendEvents, type NewEvent } from './events.ts';
import type { RunRow } from './rows.ts';

/** What has ended long enough ago. Every question takes the moment before which it has to have ended. */

export type EndedRun = Pick<RunRow, 'id' | 'slug' | 'repository' | 'state_kind'> & { readonly ended_at: Date };

/** Ended and nobody's: not open, and with nothing of theirs still to be done. */
const SETTLED = `ended_at is not null and opening is null
  and not exists (select 1 from outbox where outbox.run = run.id and done_at is null and kind in ('trash', 'restore'))`;

export async function endedRuns(queries: Queries, before: Date): Promise<EndedRun[]> {
  return queries.query<EndedRun>(
    `select id, slug, repository, state_kind, ended_at from run where ${SETTLED} and ended_at < $1
       and state_kind in ('succeeded', 'failed', 'cancelled') order by ended_at`,
    [before],
  );
}

/** Discarded ones that could still be restored. */
export async function discardedRuns(queries: Queries, before: Date): Promise<EndedRun[]> {
  return queries.query<EndedRun>(
    `select id, slug, repository, state_kind, ended_at from run where ${SETTLED} and ended_at < $1
       and state_kind = 'discarded' and state_before is not null order by ended_at`,
    [before],
  );
}

/** Those of the runs that have ended, and are known here at all. */
export async function endedOf(queries: Queries, ids: readonly string[], before: Date): Promise<EndedRun[]> {
  return queries.query<EndedRun>(
    `select id, slug, repository, state_kind, ended_at from run where ${SETTLED} and ended_at < $2 and id = any($1)
       and state_kind in ('succeeded', 'failed', 'cancelled', 'discarded') order by ended_at`,
    [ids, before],
  );
}

export async function endedTranscripts(queries: Queries, before: Date): Promise<(EndedRun & { rows: number })[]> {
  return queries.query<EndedRun & { rows: number }>(
    `select id, slug, repository, state_kind, ended_at, count(*)::int as rows from run join transcript on transcript.run = run.id
     where ${SETTLED} and ended_at < $1 group by run.id order by ended_at`,
    [before],
  );
}

/** Takes a run's transcript out, and says so in its journal. False when the run has been taken up again. */
export async function deleteTranscript(
  database: Pick<Database, 'transaction'>,
  run: EndedRun,
  said: NewEvent,
): Promise<boolean> {
  return database.transaction(async (queries) => {
    if (!(await isStill(queries, run))) return false;
    await queries.query('delete from transcript where run = $1', [run.id]);
    await appendEvents(queries, run.id, [said]);
    return true;
  });
}

/** A discarded run cannot be restored any more; `drop` takes its refs away before that is committed. False as above. */
export async function forgetTrash(
  database: Pick<Database, 'transaction'>,
  run: EndedRun,
  { said, drop }: { said: NewEvent; drop: () => Promise<void> },
): Promise<boolean> {
  return database.transaction(async (queries) => {
    if (!(await isStill(queries, run))) return false;
    await queries.query('update run set state_before = null where id = $1', [run.id]);
    await appendEvents(queries, run.id, [said]);
    await drop();
    return true;
  });
}

/** Takes a run out of the database, with its task where no other run has that; `drop` as above. False as above. */
export async function deleteRun(
  database: Pick<Database, 'transaction'>,
  run: EndedRun,
  { drop }: { drop: () => Promise<void> },
): Promise<boolean> {
  return database.transaction(async (queries) => {
    if (!(await isStill(queries, run))) return false;
    await deleteRuns(queries, [run.id]);
    await drop();
    return true;
  });
}

/** Locks the run. One that was restored has ended when it had before, and its refs may still be on their way. */
async function isStill(queries: Queries, { id, ended_at, state_kind }: EndedRun): Promise<boolean> {
  await queries.query('select 1 from run where id = $1 for update', [id]);
  const [row] = await queries.query<{ ended_at: Date }>(
    `select ended_at from run where id = $1 and state_kind = $2 and ${SETTLED}`,
    [id, state_kind],
  );
  return row?.ended_at.getTime() === ended_at.getTime();
}

/** The rows of runs and of all that belongs to them, but not their calls to models: what was spent was spent. Part of a transaction that has locked them. */
export async function deleteRuns(queries: Queries, runs: readonly string[]): Promise<void> {
  const tasks = await queries.query<{ task: string }>(
    `select distinct task from run where id = any($1)
       and not exists (select 1 from run other where other.task = run.task and other.id <> all($1))`,
    [runs],
  );
  const steps = 'select id from step where run = any($1)';
  for (const statement of [
    'delete from message where run = any($1)',
    `delete from attempt where step in (${steps})`,
    'delete from step where run = any($1)',
    ...['session', 'event', 'transcript', 'evidence', 'outbox'].map(
      (table) => `delete from ${table} where run = any($1)`,
    ),
    `delete from model_day where per = 'run' and name = any($1)`,
    'delete from run where id = any($1)',
  ])
    await queries.query(statement, [runs]);
  const gone = [tasks.map(({ task }) => task)];
  await queries.query('delete from task_dependency where task = any($1) or depends_on = any($1)', gone);
  await queries.query(`delete from model_day where per = 'task' and name = any($1)`, gone);
  await queries.query('delete from task where id = any($1)', gone);
}

/** Effects that are done, and workers that nobody has heard of: rows that only their writers ever read. */
export async function oldRows(queries: Queries, before: Date): Promise<{ effects: number; workers: number }> {
  const [row] = await queries.query<{ effects: number; workers: number }>(
    `select (select count(*)::int from outbox where done_at < $1) as effects,
       (select count(*)::int from worker where ${DEAD_WORKER}) as workers`,
    [before],
  );
  return row ?? { effects: 0, workers: 0 };
}

export async function deleteOldRows(queries: Queries, before: Date): Promise<void> {
  await queries.query('delete from outbox where done_at < $1', [before]);
  await queries.query(`delete from worker where ${DEAD_WORKER}`, [before]);
}

/** One that has left on purpose has a heartbeat of long ago: it may just have been stopped, and is told by when it was started. */
const DEAD_WORKER = `greatest(heartbeat_at, started_at) < $1
  and not exists (select 1 from attempt where attempt.worker = worker.id and ended_at is null)`;
