import type { RunDetail } from '../../api/schemas/run.ts';
import { counted } from '../../lib/counted.ts';
import { printableLine } from '../../lib/printable.ts';
import { shortDuration, shortUsage } from './amount.ts';
import { nextCommands, stateLine } from './state.ts';
import { paint, type Style } from './style.ts';

/**
 * The last lines of a command that waited: what became of the run, what it used, where its result is, what comes next. That it waits was
 * its last event.
 */
export function endingLines(run: RunDetail, style: Style): string[] {
  if (run.state.kind === 'parked') return [];
  const name = printableLine(run.slug);
  const result = resultOf(run);
  const used = usedBy(run);
  return [
    stateLine(run.state, style) + (used === '' ? '' : paint(style, 'dim', ` · ${used}`)),
    ...(result === undefined ? [] : [result]),
    ...nextCommands(run, name, style.width - 4).map((line) => paint(style, 'dim', `    ${line}`)),
  ];
}

/** `2m 05s · 14 turns · 12.3k tokens · 0.42 USD`. */
function usedBy({ limits, usage }: RunDetail): string {
  const { wall, turns } = limits;
  return [
    wall === undefined || wall.used === 0 ? '' : shortDuration(wall.used),
    turns === undefined || turns.used === 0 ? '' : counted(turns.used, 'turn'),
    shortUsage(usage),
  ]
    .filter((part) => part !== '')
    .join(' · ');
}

function resultOf({ merged, branch, target, state, head, base }: RunDetail): string | undefined {
  if (merged !== undefined) {
    const into = merged.target ?? target;
    return `  merged${into === null ? '' : ` into ${printableLine(into)}`}: ${merged.commit.slice(0, 10)}`;
  }
  if (branch !== null) return `  on branch ${printableLine(branch)}`;
  return state.kind === 'succeeded' && head === base.commit ? '  nothing was changed' : undefined;
}
