import type { Acted } from '../api/schemas.ts';
import { printable } from '../lib/printable.ts';
import type { CommandContext } from './context.ts';
import { print } from './print.ts';
import { stateLine } from './render/state.ts';

/** What a command on a run left it in. The exit code tells that the command did its part, not what became of the run. */
export function printActed(context: CommandContext, options: { readonly json?: boolean }, acted: Acted): number {
  return print(context, options, acted, ({ state, note }, style) => [
    stateLine(state, style),
    ...(note === undefined ? [] : [printable(note)]),
  ]);
}
