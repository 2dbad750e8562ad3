import type { Queries } from './database.ts';
import { WORKER_SILENCE_MS } from './workers.ts';

/** Told when an effect was put into the outbox. */
export const OUTBOX_CHANNEL = 'switchyard_outbox';

/** What follows a commit: moving a run's refs to the trash or back, removing a workspace that one worker holds. */
export type OutboxKind = 'trash' | 'restore' | 'remove-workspace';

export interface OutboxRow {
  readonly id: string;
  readonly run: string;
  readonly kind: OutboxKind;
  /** The only one that can do it; null when any can. */
  readonly worker: string | null;
}

/** Puts an effect into the outbox; the same id again changes nothing. */
export async function putOut(queries: Queries, effect: OutboxRow & { at: Date }): Promise<void> {
  await queries.query(
    `with put as (
       insert into outbox (id, run, kind, worker, created_at) values ($1, $2, $3, $4, $5) on conflict do nothing)
     select pg_notify($6, $3)`,
    [effect.id, effect.run, effect.kind, effect.worker, effect.at, OUTBOX_CHANNEL],
  );
}

/**
 * Takes the oldest open effect that this worker may do and that no other live worker is at. The effects of a run keep their order;
 * one that has failed holds up the later ones of its run, but of no other. A worker does one at a time: what it has taken before and
 * not ended it gets again.
 */
export async function takeEffect(queries: Queries, worker: string): Promise<OutboxRow | undefined> {
  const [row] = await queries.query<OutboxRow>(
    `update outbox set taken_by = $1 where id = (
       select id from outbox where done_at is null and retry_at <= now() and (worker is null or worker = $1)
         and (taken_by is null or taken_by = $1 or not exists (
           select 1 from worker where worker.id = taken_by and heartbeat_at > now() - make_interval(secs => $2)))
         and not exists (
           select 1 from outbox earlier where earlier.run = outbox.run and earlier.done_at is null
             and earlier.position < outbox.position and (earlier.worker is null or earlier.worker = $1))
       order by position limit 1 for update skip locked)
     returning id, run, kind, worker`,
    [worker, WORKER_SILENCE_MS / 1000],
  );
  return row;
}

export async function markDone(queries: Queries, id: string): Promise<void> {
  await queries.query('update outbox set done_at = now() where id = $1', [id]);
}

const LONGEST_PAUSE_S = 300;

/** The effect could not be done: it is tried again after a while that grows with each failure. */
export async function putOff(queries: Queries, id: string): Promise<void> {
  await queries.query(
    `update outbox set taken_by = null, failures = failures + 1,
       retry_at = now() + make_interval(secs => least($2::int, 2 ^ least(failures, 10)))
     where id = $1`,
    [id, LONGEST_PAUSE_S],
  );
}
