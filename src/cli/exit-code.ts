import type { RunStateKind } from '../domain/run.ts';

/** Exit codes besides those of a failure's class (`api/failure.ts`). */
export const EXIT_CODES = {
  ok: 0,
  failed: 1,
  usage: 2,
  parked: 3,
  discarded: 4,
  cancelled: 6,
  unavailable: 69,
  bug: 70,
  interrupted: 130,
} as const;

/** What a command that waited on a run ends with. A run that is still at work has been left alone, which is no failure. */
export function exitCodeOf(kind: RunStateKind): number {
  switch (kind) {
    case 'queued':
    case 'running':
    case 'succeeded':
      return EXIT_CODES.ok;
    case 'failed':
      return EXIT_CODES.failed;
    case 'parked':
      return EXIT_CODES.parked;
    case 'discarded':
      return EXIT_CODES.discarded;
    case 'cancelled':
      return EXIT_CODES.cancelled;
  }
}
