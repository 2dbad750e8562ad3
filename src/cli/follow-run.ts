import type { RunDetail } from '../api/schemas/run.ts';
import type { Event } from '../domain/event.ts';
import { isEnded, type RunState } from '../domain/run.ts';
import { pause } from '../lib/wait-until.ts';
import type { Server } from './connect.ts';
import { isLost } from './failure.ts';

export interface FollowOptions {
  /** The first event wanted. */
  readonly from: number;
  readonly signal?: AbortSignal;
  /** Waits on where the run waits for a moment, and not for a person. */
  readonly pastPauses?: boolean;
  /** Told when the server went away, and when it is back. */
  readonly onConnection?: (change: 'lost' | 'back') => void;
}

/**
 * The run's events from `from` on, each once and in order, until the run is settled: it has ended, or waits; returns it then. A
 * server that goes away is reached again, and the events go on where they broke off; one that was stopped on purpose is left so, and this rejects with
 * `daemon/stopped`, as it does on abort.
 */
export async function* followRun(
  server: Server,
  run: string,
  options: FollowOptions,
): AsyncGenerator<Event, RunDetail, void> {
  const { signal } = options;
  const place: Place = { server, run, options, next: options.from };
  for (;;) {
    try {
      const found = yield* untilSettled(place);
      if (found !== undefined) return found;
    } catch (error) {
      signal?.throwIfAborted();
      if (!isLost(error)) throw error;
      const stopped = server.stopped();
      if (stopped !== undefined) throw stopped;
      options.onConnection?.('lost');
      await server.reach(signal);
      options.onConnection?.('back');
    }
  }
}

interface Place {
  readonly server: Server;
  readonly run: string;
  readonly options: FollowOptions;
  next: number;
}

/** One stretch of events up to one after which the run may be settled; undefined when it is not. */
async function* untilSettled(place: Place): AsyncGenerator<Event, RunDetail | undefined, void> {
  const { server, run, options } = place;
  const last = yield* eventsOf(place, { follow: true });
  // Asked of the server, because the event may be an old one, or answered already.
  const { state } = await server.client.call('showRun', {}, { run }, options.signal);
  if (isSettled(state, options)) {
    const after = yield* eventsOf(place, { follow: false });
    return after === 'resumed' ? undefined : await server.client.call('showRun', {}, { run }, options.signal);
  }
  // A stream that ends by itself is a server that goes down in good order.
  if (last === undefined) await pause(100, options.signal);
  return undefined;
}

/** Returns what the last word was on whether the run works: that it stopped, or that it was resumed. Following ends where it stops. */
async function* eventsOf(
  place: Place,
  { follow }: { follow: boolean },
): AsyncGenerator<Event, 'stopped' | 'resumed' | undefined, void> {
  const { server, run, options } = place;
  let last: 'stopped' | 'resumed' | undefined;
  for await (const event of server.client.events(run, { from: place.next, follow }, options.signal)) {
    if (event.seq < place.next) continue;
    place.next = event.seq + 1;
    yield event;
    if (event.kind === 'run.resumed') last = 'resumed';
    if (stops(event, options)) last = 'stopped';
    if (follow && last === 'stopped') break;
  }
  return last;
}

function isSettled(state: RunState, { pastPauses = false }: FollowOptions): boolean {
  if (state.kind === 'parked') return !(pastPauses && state.needs.until !== undefined);
  return isEnded(state.kind);
}

const STOPS: ReadonlySet<Event['kind']> = new Set(['run.parked', 'run.ended', 'run.merged']);

function stops(event: Event, { pastPauses = false }: FollowOptions): boolean {
  return STOPS.has(event.kind) && !(pastPauses && event.kind === 'run.parked' && event.needs.until !== undefined);
}

const LOOK_AGAIN_MS = 1_000;

/**
 * Watches a run that waits, whose events before `from` are known: true as soon as it does not wait like that any more, because somebody has
 * decided on it, opened it or put it away; false on abort. A server that is away is looked for again, in silence and without starting it.
 */
export async function waitsNoMore(
  server: Server,
  run: string,
  { from, signal }: { from: number; signal: AbortSignal },
): Promise<boolean> {
  while (!signal.aborted) {
    try {
      for await (const event of server.client.events(run, { from, follow: true }, signal))
        if (event.kind === 'run.resumed' || STOPS.has(event.kind)) return true;
    } catch (error) {
      if (!signal.aborted && !isLost(error)) throw error;
    }
    await pause(LOOK_AGAIN_MS, signal).catch(() => undefined);
  }
  return false;
}

/** The sequence number that the run's next event will have. */
export async function nextEventOf(server: Server, run: string): Promise<number> {
  let last = 0;
  for await (const { seq } of server.client.events(run, {})) last = seq;
  return last + 1;
}
