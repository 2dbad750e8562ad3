import { SwitchyardError } from '../lib/error.ts';
import type { RunRow } from '../store/rows.ts';

/** What whoever wants to do something else with an open run is told. */
export function isOpen({ slug, opening }: Pick<RunRow, 'slug' | 'opening'>): SwitchyardError {
  return new SwitchyardError({
    code: 'run/open',
    message: `${opening?.by ?? 'Somebody'} has ${slug} open (process ${opening?.client.pid ?? 'unknown'}).`,
    hint: `End the program there, or take the run back: \`switchyard open ${slug} --back\`.`,
  });
}
