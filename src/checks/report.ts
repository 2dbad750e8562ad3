import type { CheckItem } from '../domain/evidence.ts';
import type { Output } from './bounded-output.ts';
import type { CommandEnd } from './command.ts';

/** What a report is made of. */
export interface Checked {
  readonly name: string;
  /** As a person would type it. */
  readonly command: string;
  readonly verdict: 'pass' | 'fail' | 'timeout' | 'error';
  readonly end: CommandEnd;
  readonly items: readonly CheckItem[];
  readonly output: Output;
  readonly durationMs: number;
  /** What else the reader must know, one sentence each. */
  readonly notes: readonly string[];
}

const MAX_TAIL = 8 * 1024;
const MAX_COMMAND = 400;

/** One check in the words that agents and people read: the verdict, the items with their remedies, the end of the output. */
export function checkReport(checked: Checked): string {
  const head = `${checked.name}: ${inWords(checked.verdict, checked.end)} (${seconds(checked.durationMs)})`;
  if (checked.verdict === 'pass') return [head, ...checked.notes].join('\n');
  const parts = [
    [head, `command: ${shortened(checked.command, MAX_COMMAND)}`, ...checked.notes].join('\n'),
    checked.items.map((item) => itemLines(item)).join('\n'),
    tailOf(checked.output),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

/** Several reports in one text: what needs work first, then what is well. */
export function joinReports(
  results: readonly { readonly verdict: Checked['verdict']; readonly report: string }[],
): string {
  const [well, open] = [true, false].map((pass) => results.filter(({ verdict }) => (verdict === 'pass') === pass));
  return [...(open ?? []).map(({ report }) => report), (well ?? []).map(({ report }) => report).join('\n')]
    .filter((text) => text !== '')
    .join('\n\n');
}

/** `12.3 s`, `850 ms`, `2 min 5 s`. */
function seconds(durationMs: number): string {
  if (durationMs < 1000) return `${Math.round(durationMs)} ms`;
  if (durationMs < 60_000) return `${(durationMs / 1000).toFixed(1)} s`;
  return `${Math.floor(durationMs / 60_000)} min ${Math.round((durationMs % 60_000) / 1000)} s`;
}

function inWords(verdict: Checked['verdict'], end: CommandEnd): string {
  if (verdict === 'pass') return 'passed';
  if (verdict === 'timeout') return 'did not end in time and was stopped';
  if (verdict === 'error') return 'could not run';
  if (end.kind === 'exited') return `failed with exit code ${end.code}`;
  return end.kind === 'signalled' ? `failed, ended by ${end.signal}` : 'failed';
}

function itemLines(item: CheckItem): string {
  const place = [item.file, item.line, item.column].filter((part) => part !== undefined).join(':');
  const line = [place, item.rule, item.message].filter((part) => part !== undefined && part !== '').join('  ');
  return item.remediation === undefined ? `- ${line}` : `- ${line}\n  remedy: ${item.remediation}`;
}

function tailOf({ text, omitted }: Output): string {
  const trimmed = text.trimEnd();
  if (trimmed === '') return 'It wrote nothing.';
  if (trimmed.length <= MAX_TAIL) return `${omitted > 0 ? 'output (shortened)' : 'output'}:\n${trimmed}`;
  const tail = trimmed.slice(-MAX_TAIL);
  return `end of the output:\n${tail.slice(tail.indexOf('\n') + 1)}`;
}

function shortened(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most)}…`;
}
