import type { Actor } from '../domain/actor.ts';
import { type Event, type EventPayload, isTranscript } from '../domain/event.ts';
import type { Queries } from './database.ts';
import { json } from './json.ts';

/** Told the run's id when its journal has grown. */
export const EVENTS_CHANNEL = 'switchyard_events';

export interface NewEvent {
  readonly actor: Actor;
  readonly at: Date;
  readonly payload: EventPayload;
}

/**
 * Appends to a run's journal; sequence numbers are given under the run's row lock, so that readers see no gaps. Runs of transcript
 * events share a row of their own table.
 */
export async function appendEvents(queries: Queries, run: string, events: readonly NewEvent[]): Promise<void> {
  if (events.length === 0) return;
  const [counter] = await queries.query<{ first: string }>('update run set next_seq = next_seq + $2 where id = $1 returning next_seq - $2 as first', [run, events.length]);
  let seq = Number(counter?.first);
  const plain: Event[] = [];
  let spoken: Event[] = [];
  for (const { actor, at, payload } of events) {
    const event: Event = { seq: seq++, at: at.toISOString(), run, actor, ...payload };
    if (isTranscript(payload.kind)) {
      spoken.push(event);
    } else {
      await insertTranscript(queries, run, spoken);
      spoken = [];
      plain.push(event);
    }
  }
  await insertTranscript(queries, run, spoken);
  await insertEvents(queries, run, plain);
  await queries.query('select pg_notify($1, $2)', [EVENTS_CHANNEL, run]);
}

/** Events in order from `from` on, at most about `limit`; empty when there are none yet. */
export async function readEvents(queries: Queries, run: string, from: number, limit = 500): Promise<Event[]> {
  const rows = await queries.query<{ seq: string; events: Event[] }>(
    `select seq, events from (
       (select seq, jsonb_build_array(payload || jsonb_build_object('seq', seq, 'at', at, 'run', run, 'kind', kind, 'actor', actor)) as events
          from event where run = $1 and seq >= $2 order by seq limit $3)
       union all
       (select seq, events from transcript where run = $1 and until >= $2 order by seq limit $3)
     ) as both_tables order by seq limit $3`,
    [run, from, limit],
  );
  return rows.flatMap((row) => row.events).filter((event) => event.seq >= from).map((event) => ({ ...event, at: new Date(event.at).toISOString() }));
}

async function insertEvents(queries: Queries, run: string, events: readonly Event[]): Promise<void> {
  if (events.length === 0) return;
  const rows = events.map(({ seq, at, run: _, kind, actor, ...payload }) => ({ seq, at, kind, actor, payload }));
  await queries.query(
    `insert into event (run, seq, at, kind, actor, payload)
     select $1, seq, at, kind, actor, payload from jsonb_to_recordset($2) as row (seq bigint, at timestamptz, kind text, actor jsonb, payload jsonb)`,
    [run, json(rows)],
  );
}

async function insertTranscript(queries: Queries, run: string, events: readonly Event[]): Promise<void> {
  const first = events[0];
  const last = events.at(-1);
  if (first === undefined || last === undefined) return;
  await queries.query('insert into transcript (run, seq, until, events) values ($1, $2, $3, $4)', [run, first.seq, last.seq, json(events)]);
}
