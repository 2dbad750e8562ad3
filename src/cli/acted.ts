import type { Acted } from '../api/schemas/act.ts';
import { printable, printableLine } from '../lib/printable.ts';
import type { CommandContext } from './context.ts';
import { print } from './print.ts';
import { stateLine } from './render/state.ts';
import { paint, type Style } from './render/style.ts';

interface Asked {
  readonly json?: boolean;
  /** As the run was called. */
  readonly run: string;
}

/** What a command on a run left it in. The exit code tells that the command did its part, not what became of the run. */
export function printActed(context: CommandContext, options: Asked, acted: Acted): number {
  return print(context, options, acted, ({ state, working, note }, style) => [
    stateLine(state, style),
    ...(note === undefined ? [] : [printable(note)]),
    ...(working ? [followLine(options.run, style)] : []),
  ]);
}

/** For whoever has had a run go on. */
export function followLine(run: string, style: Style): string {
  return paint(style, 'dim', `    switchyard logs -f ${printableLine(run)}  follow it`);
}
