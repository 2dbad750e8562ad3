import type { OperationContext } from '../operations/operations.ts';
import { prune } from '../operations/prune.ts';
import { againAndAgain } from './again-and-again.ts';
import type { Log } from './log.ts';

/** Not at once: whoever starts a daemon wants something else of it first. */
const FIRST_MS = 10 * 60_000;
const DAY_MS = 24 * 60 * 60_000;

/** Removes once a day what has been kept for long enough, and logs it. Disposing ends a pass in the middle. */
export function pruneDaily(context: OperationContext, log: Log): AsyncDisposable {
  const { clock } = context.engine;
  return againAndAgain({ clock, firstMs: FIRST_MS, everyMs: DAY_MS }, async (signal) => {
    try {
      const { items } = await prune(context, { dryRun: false, signal });
      for (const { kind, what, why } of items) log.info(`removed ${what}`, { kind, why });
    } catch (error) {
      if (!signal.aborted) log.warn('what has been kept for long enough could not be removed', error);
    }
  });
}
