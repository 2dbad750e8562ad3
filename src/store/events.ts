import type { Actor } from '../domain/actor.ts';
import { type Event, type EventPayload, isTranscript } from '../domain/event.ts';
import { assigned, update } from './changes.ts';
import type { Queries } from './database.ts';
import { json } from './json.ts';
import type { RunRow } from './rows.ts';

/** Told the run's id when its journal has grown. */
export const EVENTS_CHANNEL = 'switchyard_events';

export interface NewEvent {
  readonly actor: Actor;
  readonly at: Date;
  readonly payload: EventPayload;
}

/**
 * Appends to a run's journal, as a part of the caller's transaction, and makes changes in the run's row, both in one statement. Sequence
 * numbers are given under the row's lock, which is held until the commit, so that readers see no gaps. Transcript events that follow each
 * other share a row of their own table.
 */
export async function appendEvents(
  queries: Queries,
  run: string,
  events: readonly NewEvent[],
  changes: Partial<Omit<RunRow, 'id' | 'state_kind'>> = {},
): Promise<void> {
  if (events.length === 0) return update(queries, 'run', run, changes);
  const { plain, spoken } = arranged(events);
  const { assignments, values } = assigned(changes, 6);
  const sets = ['next_seq = next_seq + $2', ...assignments].join(', ');
  await queries.query(
    `with counter as (update run set ${sets} where id = $1 returning next_seq - $2 as first), ${APPENDED}`,
    [run, events.length, plain, spoken, EVENTS_CHANNEL, ...values],
  );
}

/**
 * The same for an attempt, in one statement of its own, and counts them among the events that it has `told`. False, and nothing is
 * changed, when it does not hold the step's lease any more or has told more or less by now.
 */
export async function tellEvents(
  queries: Queries,
  { run, step, n, told }: { run: string; step: string; n: number; told: number },
  events: readonly NewEvent[],
): Promise<boolean> {
  const { plain, spoken } = arranged(events);
  // The run's lock comes first, as everywhere. The locks on step and attempt have them looked at as they are once it is held.
  const rows = await queries.query(
    `with held as (select id from run where id = $1 for no key update),
     mine as (
       select attempt.step, attempt.n from held, attempt join step on step.id = attempt.step
       where attempt.step = $6 and attempt.n = $7 and step.lease = $7 and attempt.told = $8 for no key update of attempt, step),
     telling as (update attempt set told = told + $2 from mine where attempt.step = mine.step and attempt.n = mine.n),
     counter as (update run set next_seq = next_seq + $2 from mine where id = $1 returning next_seq - $2 as first), ${APPENDED}`,
    [run, events.length, plain, spoken, EVENTS_CHANNEL, step, n, told],
  );
  return rows.length === 1;
}

/** Appends what `arranged` gives, from the number on that `counter` says. */
const APPENDED = `journal as (
       insert into event (run, seq, at, kind, actor, payload)
       select $1, first + "offset", at, kind, actor, payload
         from counter, jsonb_to_recordset($3) as row ("offset" bigint, at timestamptz, kind text, actor jsonb, payload jsonb)),
     words as (
       insert into transcript (run, seq, until, events)
       select $1, first + "offset", first + until, events
         from counter, jsonb_to_recordset($4) as row ("offset" bigint, until bigint, events jsonb))
     select pg_notify($5, $1) from counter`;

/** As JSON: events that have rows of their own, and words that share them. */
function arranged(events: readonly NewEvent[]): { plain: string; spoken: string } {
  const plain: StoredEvent[] = [];
  const spoken: { readonly offset: number; readonly until: number; readonly events: readonly SpokenEvent[] }[] = [];
  for (let offset = 0; offset < events.length; ) {
    const words = spokenFrom(events, offset);
    if (words.length > 0) spoken.push({ offset, until: offset + words.length - 1, events: words });
    else plain.push(...storedAt(events, offset));
    offset += Math.max(1, words.length);
  }
  return { plain: json(plain), spoken: json(spoken) };
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

/** The latest events of a run, in order, and at least `count` of them where there are so many. */
export async function latestEvents(queries: Queries, run: string, count: number): Promise<Event[]> {
  const [row] = await queries.query<{ next: string }>('select next_seq as next from run where id = $1', [run]);
  return row === undefined ? [] : readEvents(queries, run, Math.max(1, Number(row.next) - count));
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
