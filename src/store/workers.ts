import type { Queries } from './database.ts';

export interface WorkerRow {
  readonly id: string;
  readonly machine: string;
  readonly pid: number;
  readonly version: string;
  readonly started_at: Date;
  readonly heartbeat_at: Date;
}

/** A worker that was not heard of for this long is taken for dead. */
export const WORKER_SILENCE_MS = 10_000;

export async function announceWorker(queries: Queries, worker: WorkerRow): Promise<void> {
  await queries.query(
    `insert into worker (id, machine, pid, version, started_at, heartbeat_at) values ($1, $2, $3, $4, $5, now())
     on conflict (id) do update set machine = excluded.machine, pid = excluded.pid, version = excluded.version,
       started_at = excluded.started_at, heartbeat_at = excluded.heartbeat_at`,
    [worker.id, worker.machine, worker.pid, worker.version, worker.started_at],
  );
}

/** The database's clock is the only one that all workers share. */
export async function beat(queries: Queries, worker: string): Promise<void> {
  await queries.query('update worker set heartbeat_at = now() where id = $1', [worker]);
}

/** Says that a worker has left on purpose. */
export async function dismissWorker(queries: Queries, worker: string): Promise<void> {
  await queries.query(`update worker set heartbeat_at = 'epoch' where id = $1`, [worker]);
}

export async function liveWorkers(queries: Queries): Promise<(WorkerRow & { running: number })[]> {
  const rows = await queries.query<WorkerRow & { running: string }>(
    `select worker.*, (select count(*) from attempt where attempt.worker = worker.id and ended_at is null) as running
     from worker where heartbeat_at > now() - make_interval(secs => $1) order by started_at`,
    [WORKER_SILENCE_MS / 1000],
  );
  return rows.map((row) => ({ ...row, running: Number(row.running) }));
}
