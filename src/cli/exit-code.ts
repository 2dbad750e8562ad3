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
  return BY_STATE[kind];
}

const BY_STATE: Readonly<Record<RunStateKind, number>> = {
  queued: EXIT_CODES.ok,
  running: EXIT_CODES.ok,
  succeeded: EXIT_CODES.ok,
  failed: EXIT_CODES.failed,
  parked: EXIT_CODES.parked,
  discarded: EXIT_CODES.discarded,
  cancelled: EXIT_CODES.cancelled,
};
