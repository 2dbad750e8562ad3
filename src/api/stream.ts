/**
 * The live stream of a run's events: newline-delimited JSON, one `domain/event.ts` Event a line, in order of `seq` and without gaps.
 * With `follow=1` it stays open, also while the run is parked, until the run is over or the client leaves; empty lines keep it alive.
 */
export const EVENTS_PATH = '/v1/runs/{run}/events';

export interface EventsQuery {
  /** First sequence number wanted; 1 is the beginning. */
  readonly from?: number;
  readonly follow?: boolean;
  /** Only events of one step, `NODE` or `NODE#N`. */
  readonly step?: string;
}
