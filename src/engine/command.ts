import type { RunRow } from '../store/rows.ts';
import { getRun, lockRun } from '../store/runs.ts';
import type { Engine } from './engine.ts';
import { isOpen } from './open-refusal.ts';
import { type OpenRun, openRun } from './transition.ts';

/**
 * Carries out what a person has said of a run, in one transaction that holds its row, exactly once: a command whose commit went
 * unheard is known again by its name. `work` writes the run itself. Returns the row as it is then.
 * A run that a person has open is refused (`run/open`) but to those who deal with that.
 */
export async function command(
  engine: Engine,
  id: string,
  work: (run: OpenRun) => Promise<void>,
  { whileOpen = false }: { whileOpen?: boolean } = {},
): Promise<RunRow> {
  const name = engine.ids();
  return engine.database.transaction(async (queries) => {
    const row = await lockRun(queries, id);
    if (row.decided === name) return row;
    if (row.opening?.phase === 'open' && !whileOpen) throw isOpen(row);
    const run = openRun(engine, queries, row);
    run.changes.decided = name;
    await work(run);
    return getRun(queries, id);
  });
}
