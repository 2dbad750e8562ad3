import { lockRun, updateRun } from '../store/runs.ts';
import type { Engine } from './engine.ts';

/** Remembers that the run's branch in the person's repository stands on a commit now, unless somebody has written there meanwhile. */
export async function rememberPublished(
  engine: Engine,
  id: string,
  { commit, before }: { commit: string; before: string | null },
): Promise<void> {
  await engine.database.transaction(async (queries) => {
    const row = await lockRun(queries, id);
    if (row.delivered === before) await updateRun(queries, id, { delivered: commit });
  });
}
