import type { OperationContext } from '../operations/operations.ts';
import { warmBases } from '../operations/warm-bases.ts';
import { againAndAgain } from './again-and-again.ts';
import type { Log } from './log.ts';

const FIRST_MS = 30_000;
const EVERY_MS = 30_000;

/** Looks now and then whether repositories in use have moved, and makes ready what their next runs are laid over. */
export function keepBasesWarm(context: OperationContext, log: Log): AsyncDisposable {
  const warmed = new Map<string, string>();
  return againAndAgain({ clock: context.engine.clock, firstMs: FIRST_MS, everyMs: EVERY_MS }, async (signal) => {
    try {
      await warmBases(context, warmed, signal);
    } catch (error) {
      if (!signal.aborted) log.warn('what runs are laid over could not be made ready', error);
    }
  });
}
