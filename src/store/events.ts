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
 * Appends to a run's journal, as a part of the caller's transaction; sequence numbers are given under the run's row lock, which is held
 * until the commit, so that readers see no gaps. Transcript events that follow each other share a row of their own table.
 */
export async function appendEvents(queries: Queries, run: string, events: readonly NewEvent[]): Promise<void> {
  if (events.length === 0) return;
  const [counter] = await queries.query<{ next: string }>(
    'update run set next_seq = next_seq + $2 where id = $1 returning next_seq as next',
    [run, events.length],
  );
  let seq = Number(counter?.next) - events.length;
  const plain: StoredEvent[] = [];
  const spoken: Event[][] = [];
  let isSpeaking = false;
  for (const { actor, at, payload } of events) {
    const speaks = isTranscript(payload.kind);
    const { kind, ...rest } = payload;
    if (!speaks) plain.push({ seq, at, kind, actor, payload: rest });
    else if (isSpeaking) spoken.at(-1)?.push({ seq, at: at.toISOString(), run, actor, ...payload });
    else spoken.push([{ seq, at: at.toISOString(), run, actor, ...payload }]);
    isSpeaking = speaks;
    seq += 1;
  }
  if (spoken.length > 0) await insertTranscript(queries, run, spoken);
  // The last statement tells the listeners, who hear of it at the commit.
  if (plain.length > 0) await insertEvents(queries, run, plain);
  else await queries.query('select pg_notify($1, $2)', [EVENTS_CHANNEL, run]);
}

/** Events in order from `from` on; empty when there are none yet. A row of transcript counts as one towards `limit`. */
export async function readEvents(queries: Queries, run: string, from: number, limit = 500): Promise<Event[]> {
  const rows = await queries.query<{ events: Event[] }>(
    `select events from (
       (select seq, jsonb_build_array(payload || jsonb_build_object('seq', seq, 'at', at, 'run', run, 'kind', kind, 'actor', actor)) as events
          from event where run = $1 and seq >= $2 order by seq limit $3)
       union all
       (select seq, events from transcript where run = $1 and until >= $2
          and seq >= coalesce((select max(seq) from transcript where run = $1 and seq <= $2), $2) order by seq limit $3)
     ) as both_tables order by seq limit $3`,
    [run, from, limit],
  );
  return rows
    .flatMap((row) => row.events)
    .filter((event) => event.seq >= from)
    .map((event) => ({ ...event, at: new Date(event.at).toISOString() }));
}

interface StoredEvent {
  readonly seq: number;
  readonly at: Date;
  readonly kind: string;
  readonly actor: Actor;
  readonly payload: object;
}

async function insertEvents(queries: Queries, run: string, events: readonly StoredEvent[]): Promise<void> {
  await queries.query(
    `with inserted as (
       insert into event (run, seq, at, kind, actor, payload)
       select $1, seq, at, kind, actor, payload
         from jsonb_to_recordset($2) as row (seq bigint, at timestamptz, kind text, actor jsonb, payload jsonb))
     select pg_notify($3, $1)`,
    [run, json(events), EVENTS_CHANNEL],
  );
}

async function insertTranscript(queries: Queries, run: string, blocks: readonly (readonly Event[])[]): Promise<void> {
  const rows = blocks.map((events) => ({ seq: events[0]?.seq, until: events.at(-1)?.seq, events }));
  await queries.query(
    `insert into transcript (run, seq, until, events)
     select $1, seq, until, events from jsonb_to_recordset($2) as row (seq bigint, until bigint, events jsonb)`,
    [run, json(rows)],
  );
}
