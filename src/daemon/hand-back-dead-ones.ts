import { handBackDead } from '../operations/dead-openings.ts';
import type { OperationContext } from '../operations/operations.ts';
import { againAndAgain } from './again-and-again.ts';
import type { Log } from './log.ts';

const EVERY_MS = 10_000;

/** Lets runs go on that were to be opened by somebody who is gone. */
export function handBackDeadOnes(context: OperationContext, log: Log): AsyncDisposable {
  const { clock } = context.engine;
  return againAndAgain({ clock, firstMs: EVERY_MS, everyMs: EVERY_MS }, async (signal) => {
    try {
      await handBackDead(context);
    } catch (error) {
      if (!signal.aborted) log.warn('a run could not be handed back', error);
    }
  });
}
