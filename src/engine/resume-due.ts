import { SYSTEM } from '../domain/actor.ts';
import { dueRuns } from '../store/runs.ts';
import { command } from './command.ts';
import { apply } from './decide.ts';
import type { Engine } from './engine.ts';
import { current, writeAndAdmit } from './transition.ts';

/** Has runs go on that waited for a moment that has come, such as the reset of a quota. Returns how many. */
export async function resumeDue(engine: Engine): Promise<number> {
  const ids = await dueRuns(engine.database, new Date(engine.clock.now()));
  let count = 0;
  for (const id of ids) {
    await command(engine, id, async (run) => {
      const { state } = current(run);
      // A person may have been quicker.
      const isDue = state.kind === 'parked' && Date.parse(state.needs.until ?? '') <= engine.clock.now();
      if (!isDue) return;
      await apply(run, { choice: 'retry', actor: SYSTEM });
      await writeAndAdmit(run);
      count += 1;
    });
  }
  return count;
}
