import type { RunDetail } from '../api/schemas.ts';
import type { Event } from '../domain/event.ts';
import { isEnded, type RunStateKind } from '../domain/run.ts';
import { pause } from '../lib/wait-until.ts';
import type { Server } from './connect.ts';
import { isLost } from './failure.ts';

export interface FollowOptions {
  /** The first event wanted. */
  readonly from: number;
  /** Only events of one step. */
  readonly step?: string;
  readonly signal?: AbortSignal;
  /** Told when the server went away, and when it is back. */
  readonly onConnection?: (change: 'lost' | 'back') => void;
}

/** A run that does nothing more by itself: it has ended, or waits for a person. */
export function isSettled(kind: RunStateKind): boolean {
  return kind === 'parked' || isEnded(kind);
}

/**
 * The run's events from `from` on, each once and in order, until the run is settled; returns it then. A server that goes away is
 * reached again, and the events go on where they broke off. On abort it rejects.
 */
export async function* followRun(
  server: Server,
  run: string,
  options: FollowOptions,
): AsyncGenerator<Event, RunDetail, void> {
  const { signal } = options;
  const only = options.step === undefined ? {} : { step: options.step };
  let next = options.from;
  for (;;) {
    let mayBeSettled = false;
    try {
      for await (const event of server.client.events(run, { ...only, from: next, follow: true }, signal)) {
        if (event.seq < next) continue;
        next = event.seq + 1;
        yield event;
        mayBeSettled = event.kind === 'run.parked' || event.kind === 'run.ended' || event.kind === 'run.merged';
        if (mayBeSettled) break;
      }
      // Asked of the server, because the event may be an old one, or answered already.
      const detail = await server.client.call('showRun', {}, { run }, signal);
      if (isSettled(detail.state.kind)) {
        let resumed = false;
        for await (const event of server.client.events(run, { ...only, from: next }, signal)) {
          if (event.seq < next) continue;
          next = event.seq + 1;
          resumed = event.kind === 'run.resumed' || (resumed && !isClosing(event));
          yield event;
        }
        if (!resumed) return await server.client.call('showRun', {}, { run }, signal);
      } else if (!mayBeSettled) {
        // The stream ended by itself, as when the server goes down in good order.
        await pause(100, signal);
      }
    } catch (error) {
      signal?.throwIfAborted();
      if (!isLost(error)) throw error;
      options.onConnection?.('lost');
      await server.reach(signal);
      options.onConnection?.('back');
    }
  }
}

/** The sequence number that the run's next event will have. */
export async function nextEventOf(server: Server, run: string): Promise<number> {
  let last = 0;
  for await (const { seq } of server.client.events(run, {})) last = seq;
  return last + 1;
}

function isClosing({ kind }: Event): boolean {
  return kind === 'run.parked' || kind === 'run.ended';
}
