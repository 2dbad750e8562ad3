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
  const plain: StoredEvent[] = [];
  const spoken: { readonly offset: number; readonly until: number; readonly events: readonly SpokenEvent[] }[] = [];
  for (let offset = 0; offset < events.length; ) {
    const words = spokenFrom(events, offset);
    if (words.length > 0) spoken.push({ offset, until: offset + words.length - 1, events: words });
    else plain.push(...storedAt(events, offset));
    offset += Math.max(1, words.length);
  }
  await queries.query(
    `with counter as (update run set next_seq = next_seq + $2 where id = $1 returning next_seq - $2 as first),
     journal as (
       insert into event (run, seq, at, kind, actor, payload)
       select $1, first + "offset", at, kind, actor, payload
         from counter, jsonb_to_recordset($3) as row ("offset" bigint, at timestamptz, kind text, actor jsonb, payload jsonb)),
     words as (
       insert into transcript (run, seq, until, events)
       select $1, first + "offset", first + until, events
         from counter, jsonb_to_recordset($4) as row ("offset" bigint, until bigint, events jsonb))
     select pg_notify($5, $1) from counter`,
    [run, events.length, json(plain), json(spoken), EVENTS_CHANNEL],
  );
}

/** Events in order from `from` on; empty when there are none yet. A row of transcript counts as one towards `limit`. */
export async function readEvents(queries: Queries, run: string, from: number, limit = 500): Promise<Event[]> {
  const rows = await queries.query<{ seq: string; events: Event[] }>(
    `select seq, events from (
       (select seq, jsonb_build_array(payload || jsonb_build_object('at', at, 'kind', kind, 'actor', actor)) as events
          from event where run = $1 and seq >= $2 order by seq limit $3)
       union all
       (select seq, events from transcript where run = $1 and until >= $2
          and seq >= coalesce((select max(seq) from transcript where run = $1 and seq <= $2), $2) order by seq limit $3)
     ) as both_tables order by seq limit $3`,
    [run, from, limit],
  );
  return rows
    .flatMap((row) => row.events.map((event, index) => ({ ...event, run, seq: Number(row.seq) + index })))
    .filter((event) => event.seq >= from)
    .map((event) => ({ ...event, at: new Date(event.at).toISOString() }));
}

/** The commit that a run began at. */
export async function baseAtStart(queries: Queries, run: string): Promise<string | undefined> {
  const [row] = await queries.query<{ base: string }>(
    `select payload ->> 'base' as base from event where run = $1 and kind = 'run.started' order by seq limit 1`,
    [run],
  );
  return row?.base;
}

interface StoredEvent {
  /** Distance from the first that is appended with it. */
  readonly offset: number;
  readonly at: Date;
  readonly kind: string;
  readonly actor: Actor;
  readonly payload: object;
}

type SpokenEvent = EventPayload & { readonly at: Date; readonly actor: Actor };

function storedAt(events: readonly NewEvent[], offset: number): StoredEvent[] {
  return events
    .slice(offset, offset + 1)
    .map(({ actor, at, payload: { kind, ...payload } }) => ({ offset, at, kind, actor, payload }));
}

/** The transcript events that follow each other from there on. */
function spokenFrom(events: readonly NewEvent[], offset: number): SpokenEvent[] {
  const end = events.findIndex((event, index) => index >= offset && !isTranscript(event.payload.kind));
  return events
    .slice(offset, end === -1 ? events.length : end)
    .map(({ actor, at, payload }) => ({ at, actor, ...payload }));
}
