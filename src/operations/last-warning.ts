import type { Engine } from '../engine/engine.ts';
import { latestEvents } from '../store/events.ts';
import type { StepRow } from '../store/rows.ts';

/** More than persons say to an agent while it does nothing. */
const LATEST = 50;

/**
 * The warning that is the last that was heard of a step at work, and when: while its agent waits to try again, why that is. Undefined as
 * soon as the step has gone on.
 */
export async function lastWarning(
  { database }: Pick<Engine, 'database'>,
  { run, node, n }: Pick<StepRow, 'run' | 'node' | 'n'>,
): Promise<{ readonly text: string; readonly at: number } | undefined> {
  const events = await latestEvents(database, run, LATEST);
  const last = events.findLast((event) => event.kind !== 'message' || event.level === 'warning');
  if (last?.kind !== 'message' || last.node !== node || last.n !== n) return undefined;
  return { text: last.text, at: Date.parse(last.at) };
}
