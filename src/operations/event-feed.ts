import type { Event } from '../domain/event.ts';
import { isEnded } from '../domain/run.ts';
import type { Database } from '../store/database.ts';
import { EVENTS_CHANNEL, readEvents } from '../store/events.ts';
import { resolveRun, stateKindOf } from '../store/runs.ts';

/** More than so many events are read piece by piece; whatever comes after a piece was read is announced. */
const AT_ONCE = 500;
/** A connection that is quiet for so long is told that it still lives. */
const KEEP_ALIVE_MS = 15_000;

export interface FeedQuery {
  readonly run: string;
  readonly from: number;
  readonly follow: boolean;
  readonly step: string | undefined;
  readonly signal: AbortSignal;
}

/** Serves runs' journals, from the beginning or as they grow. */
export interface EventFeed extends AsyncDisposable {
  /** The id of the run that a reference names. */
  resolve(reference: string): Promise<string>;
  /** Lines of newline-delimited JSON; ends when the run is over, or, not following, with the last event there is. */
  lines(query: FeedQuery): AsyncGenerator<string, void, void>;
}

export async function openEventFeed(database: Database): Promise<EventFeed> {
  const waiting = new Map<string, Set<() => void>>();
  const wake = (run: string) => waiting.get(run)?.forEach((resolve) => resolve());
  const listening = await database.listen([EVENTS_CHANNEL], (message) => {
    if (message === undefined) for (const run of waiting.keys()) wake(run);
    else wake(message.payload);
  });
  const over = new AbortController();

  function grown(run: string, signal: AbortSignal): { readonly done: Promise<void>; stop(): void } {
    const { promise, resolve } = Promise.withResolvers<void>();
    const set = waiting.get(run) ?? new Set();
    waiting.set(run, set.add(resolve));
    const timer = setTimeout(resolve, KEEP_ALIVE_MS);
    const aborted = AbortSignal.any([signal, over.signal]);
    aborted.addEventListener('abort', () => resolve(), { once: true });
    const stop = () => {
      clearTimeout(timer);
      set.delete(resolve);
      if (set.size === 0) waiting.delete(run);
    };
    return { done: promise, stop };
  }

  return {
    resolve: async (reference) => (await resolveRun(database, reference)).id,
    async *lines({ run, from, follow, step, signal }) {
      let next = from;
      while (!signal.aborted && !over.signal.aborted) {
        const growth = grown(run, signal);
        try {
          const ended = isEnded(await stateKindOf(database, run));
          const events = await readEvents(database, run, next, AT_ONCE);
          for (const event of events) if (belongsTo(event, step)) yield `${JSON.stringify(event)}\n`;
          next = (events.at(-1)?.seq ?? next - 1) + 1;
          if (events.length >= AT_ONCE) continue;
          if (!follow || ended) return;
          await growth.done;
          yield '\n';
        } finally {
          growth.stop();
        }
      }
    },
    async [Symbol.asyncDispose]() {
      over.abort();
      await listening[Symbol.asyncDispose]();
    },
  };
}

/** `NODE` or `NODE#N`; events that belong to no step are left out then. */
function belongsTo(event: Event, step: string | undefined): boolean {
  if (step === undefined) return true;
  const [node, n] = step.split('#');
  if (!('node' in event) || event.node !== node) return false;
  return n === undefined || ('n' in event && event.n === Number(n));
}
