import type { Engine } from '../engine/engine.ts';
import { resumeDue } from '../engine/resume-due.ts';
import { againAndAgain } from './again-and-again.ts';
import type { Log } from './log.ts';

const EVERY_MS = 2_000;

/** Has runs go on by themselves whose moment has come. */
export function resumeDueOnes(engine: Engine, log: Log): AsyncDisposable {
  return againAndAgain({ clock: engine.clock, firstMs: EVERY_MS, everyMs: EVERY_MS }, async (signal) => {
    try {
      await resumeDue(engine);
    } catch (error) {
      if (!signal.aborted) log.warn('a run could not go on by itself', error);
    }
  });
}
