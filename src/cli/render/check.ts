import type { EventPayload } from '../../domain/event.ts';
import type { CheckItem } from '../../domain/evidence.ts';
import { printableLine } from '../../lib/printable.ts';
import { shortDuration } from './amount.ts';
import { paint, type Style } from './style.ts';

const LAST_LINES = 6;
const FIRST_ITEMS = 5;

/** A check's verdict, and the first of what it found. */
export function checkLines(
  event: Extract<EventPayload, { kind: 'check.ended' }>,
  style: Style & { readonly detail: 'progress' | 'full' },
): string[] {
  const passed = event.verdict === 'pass';
  const symbol = paint(style, passed ? 'green' : 'red', passed ? '✓' : '✗');
  const found =
    passed || event.items.length === 0
      ? ''
      : `, ${event.items.length === 1 ? '1 finding' : `${event.items.length} findings`}`;
  const shown = passed ? [] : style.detail === 'full' ? event.items : event.items.slice(0, FIRST_ITEMS);
  const more = passed ? 0 : event.items.length - shown.length;
  return [
    `${symbol} ${printableLine(event.check)}: ${event.verdict}${found}${paint(style, 'dim', ` · ${shortDuration(event.durationMs)}`)}`,
    ...shown.map((item) => `  ${itemLine(item)}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
    ...(passed || event.items.length > 0
      ? []
      : lastLines(event.report ?? '').map((line) => `  ${printableLine(line)}`)),
  ];
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
export function itemLine(item: CheckItem): string {
  const place = [item.file, item.line, item.column].filter((part) => part !== undefined).join(':');
  const remedy = item.remediation === undefined ? undefined : `(${item.remediation})`;
  return [place, item.rule, item.message, remedy]
    .map((part) => printableLine(part ?? ''))
    .filter((part) => part !== '')
    .join('  ');
}
