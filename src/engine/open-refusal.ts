import { SwitchyardError } from '../lib/error.ts';
import { isAlive } from '../lib/processes.ts';
import type { RunRow } from '../store/rows.ts';

import type { Host } from './host.ts';

/**
 * Ends what a person's command line has left in a run's workspace, which is then nobody's. Refuses with `run/open` while something lives
 * that cannot be ended from here: an editor is outside of all walls, and so is everything at the sandbox level `none`.
 */
export async function endLeftOpen(
  { remains }: Pick<Host, 'remains'>,
  { slug, opening }: Pick<RunRow, 'slug' | 'opening'>,
): Promise<void> {
  const { program, namespaces = [] } = opening ?? {};
  if (program !== undefined && program.namespace === undefined && isAlive(program)) throw isOpen({ slug, opening });
  for (const namespace of namespaces) {
    if (!(await remains.clear(namespace))) throw isOpen({ slug, opening });
  }
}

/** What whoever wants to do something else with an open run is told. */
export function isOpen({ slug, opening }: Pick<RunRow, 'slug' | 'opening'>): SwitchyardError {
  const canEnd = opening?.phase === 'asked' || opening?.program?.namespace !== undefined;
  const process = (canEnd ? undefined : opening?.program?.pid) ?? opening?.client.pid ?? 'unknown';
  return new SwitchyardError({
    code: 'run/open',
    message: `${opening?.by ?? 'Somebody'} has ${slug} open (process ${process}).`,
    hint: canEnd
      ? `End the program there, or take the run back: \`switchyard open ${slug} --back\`.`
      : 'End the program there; it cannot be ended from here.',
  });
}
