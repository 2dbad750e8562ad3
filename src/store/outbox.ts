import type { Queries } from './database.ts';

/** Told when an effect was put into the outbox. */
export const OUTBOX_CHANNEL = 'switchyard_outbox';

/** What follows a commit: moving a run's refs to the trash or back, removing a workspace that one worker holds. */
export type OutboxKind = 'trash' | 'restore' | 'remove-workspace';

export interface OutboxRow {
  readonly id: string;
  readonly run: string;
  readonly kind: OutboxKind;
  readonly worker: string | null;
}

/** Puts an effect into the outbox; the same id again changes nothing. */
export async function putOut(queries: Queries, effect: OutboxRow & { at: Date }): Promise<void> {
  await queries.query('insert into outbox (id, run, kind, worker, created_at) values ($1, $2, $3, $4, $5) on conflict do nothing', [
    effect.id,
    effect.run,
    effect.kind,
    effect.worker,
    effect.at,
  ]);
  await queries.query('select pg_notify($1, $2)', [OUTBOX_CHANNEL, effect.kind]);
}

/** The oldest open effect that this worker may do, locked until the transaction ends; effects of one run keep their order. */
export async function takeEffect(queries: Queries, worker: string): Promise<OutboxRow | undefined> {
  const [row] = await queries.query<OutboxRow>(
    `select id, run, kind, worker from outbox where done_at is null and (worker is null or worker = $1)
       and not exists (select 1 from outbox earlier where earlier.run = outbox.run and earlier.done_at is null
         and (earlier.created_at, earlier.id) < (outbox.created_at, outbox.id) and (earlier.worker is null or earlier.worker = $1))
     order by created_at, id for update skip locked limit 1`,
    [worker],
  );
  return row;
}

export async function markDone(queries: Queries, id: string): Promise<void> {
  await queries.query('update outbox set done_at = now() where id = $1', [id]);
}
