import type { EventPayload } from '../../domain/event.ts';
import type { CheckItem } from '../../domain/evidence.ts';
import { counted } from '../../lib/counted.ts';
import { printableLine } from '../../lib/printable.ts';
import { shortDuration } from './amount.ts';
import { exposedText } from './exposed.ts';
import { paint, type Style } from './style.ts';
import { wrap } from './width.ts';

const LAST_LINES = 6;
const FIRST_ITEMS = 5;

type CheckEnded = Extract<EventPayload, { kind: 'check.ended' }>;

/** How a check is drawn: with `all`, everything that it found. */
export interface CheckView extends Style {
  readonly all: boolean;
}

/** A check's verdict, and the first of what it found. */
export function checkLines(event: CheckEnded, view: CheckView): string[] {
  const passed = event.verdict === 'pass';
  const symbol = paint(view, passed ? 'green' : 'red', passed ? '✓' : '✗');
  const took = paint(view, 'dim', ` · ${shortDuration(event.durationMs)}`);
  const found = foundBy(event);
  const verdict = [event.verdict, found].filter((part) => part !== '').join(', ');
  return [
    `${symbol} ${printableLine(event.check)}: ${verdict}${took}`,
    ...findingLines(event, { ...view, width: view.width - 2 }).map((line) => `  ${line}`),
    ...exposedLines(event, { ...view, width: view.width - 2 }).map((line) => `  ${line}`),
  ];
}

/** `2 findings`; empty for a check that passed or names no places. */
export function foundBy(event: CheckEnded): string {
  return event.verdict === 'pass' || event.items.length === 0 ? '' : counted(event.items.length, 'finding');
}

/** What a check that did not pass has found, or else the end of what it printed. */
export function findingLines(event: CheckEnded, view: CheckView): string[] {
  if (event.verdict === 'pass') return [];
  if (event.items.length === 0)
    return lastLines(event.report ?? '').flatMap((line) => wrap(printableLine(line), view.width));
  const shown = view.all ? event.items : event.items.slice(0, FIRST_ITEMS);
  const more = event.items.length - shown.length;
  const lines = shown.flatMap((item) => {
    const [first = '', ...rest] = wrap(itemLine(item), view.width - 2);
    return [first, ...rest.map((line) => `  ${line}`)];
  });
  return more > 0 ? [...lines, `and ${more} more`] : lines;
}

/** A part of the evidence that the run has said already: only told where all is wanted. */
function exposedLines({ exposed = [] }: CheckEnded, view: CheckView): string[] {
  if (!view.all || exposed.length === 0) return [];
  return wrap(printableLine(`exposed: ${exposed.map(exposedText).join(', ')}`), view.width);
}

/** The end of what a check printed that names no places. */
function lastLines(report: string): string[] {
  return report
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(1)
    .slice(-LAST_LINES);
}

/** `src/a.js:3:7  no-var  message (remediation)`. */
function itemLine(item: CheckItem): string {
  const place = [item.file, item.line, item.column].filter((part) => part !== undefined).join(':');
  const remedy = item.remediation === undefined ? undefined : `(${item.remediation})`;
  return [place, item.rule, item.message, remedy]
    .map((part) => printableLine(part ?? ''))
    .filter((part) => part !== '')
    .join('  ');
}
