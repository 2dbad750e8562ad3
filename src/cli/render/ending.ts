import type { RunDetail } from '../../api/schemas.ts';
import { printableLine } from '../../lib/printable.ts';
import { shortUsage } from './amount.ts';
import { nextCommands, stateLine } from './state.ts';
import { paint, type Style } from './style.ts';

/** The last lines of a command that waited: what became of the run, where its result is, what comes next. That it waits was its last event. */
export function endingLines(run: RunDetail, style: Style): string[] {
  if (run.state.kind === 'parked') return [];
  const name = printableLine(run.slug);
  const result = resultOf(run);
  const usage = shortUsage(run.usage);
  return [
    stateLine(run.state, style) + (usage === '' ? '' : paint(style, 'dim', ` · ${usage}`)),
    ...(result === undefined ? [] : [result]),
    ...nextCommands(run, name).map((line) => paint(style, 'dim', `    ${line}`)),
  ];
}

function resultOf(run: RunDetail): string | undefined {
  if (run.merged !== undefined)
    return `  merged${run.target === null ? '' : ` into ${printableLine(run.target)}`}: ${run.merged.commit.slice(0, 10)}`;
  if (run.branch !== null) return `  on branch ${printableLine(run.branch)}`;
  return run.state.kind === 'succeeded' && run.head === run.base.commit ? '  nothing was changed' : undefined;
}
