import type { RunDetail, RunSummary, StepView } from '../../api/schemas/run.ts';
import { isEnded, type RunState } from '../../domain/run.ts';
import { formatCount, formatDollars } from '../../domain/units.ts';
import { printable, printableLine } from '../../lib/printable.ts';
import { shortDuration, shortUsage } from './amount.ts';
import { exposedText } from './exposed.ts';
import { nextCommands, type RunToGoOn, stateColour, stateHead, stateSymbol } from './state.ts';
import { paint, type Style } from './style.ts';
import { table } from './table.ts';
import { fit, wrap } from './width.ts';

const FACT_COLUMN = 12;
/** All of what a step came to is in the log, and of the last one above. */
const LONGEST_DETAIL = 100;

/** One run on one screen; `why` tells where it is and what it waits for. */
export function runScreen(run: RunDetail, why: readonly string[], style: Style): string[] {
  return [
    ...standing(run, why, style),
    '',
    ...factLines(run, style),
    ...(run.steps.length === 0 ? [] : ['', ...stepTable(run, style)]),
    ...commandLines(run, style),
  ];
}

/** Only where the run is, why, and what would go on with it. */
export function whyScreen(run: RunDetail, why: readonly string[], style: Style): string[] {
  return [...standing(run, why, style), ...commandLines(run, style)];
}

function standing(run: RunDetail, why: readonly string[], style: Style): string[] {
  const asked = run.state.kind === 'parked' ? (run.state.needs.ask ?? '') : '';
  const told = why.flatMap((line) => wrap(`  ${printableLine(line)}`, style.width));
  const ask = asked === '' ? [] : ['', ...printable(asked).trim().split('\n')];
  return [
    ...wrap(printableLine(run.title), style.width).map((line) => paint(style, 'bold', line)),
    `${paint(style, stateColour(run.state.kind), stateSymbol(run.state.kind))} ${stateHead(run.state)}`,
    ...told,
    ...ask.flatMap((line) => wrap(line, style.width)),
  ];
}

function factLines(run: RunDetail, style: Style): string[] {
  const facts: [string, string][] = [
    ['run', `${run.slug} (${run.id})`],
    ['repository', run.repository],
    ['blueprint', `${run.blueprint}${run.agent === null ? '' : `, agent ${run.agent}`}, sandbox ${run.sandbox}`],
    ['base', `${run.base.ref} at ${run.base.commit.slice(0, 10)}`],
    ['forked', run.forkedFrom === undefined ? '' : forkedText(run.forkedFrom)],
    ['head', run.head === run.base.commit ? 'no change yet' : run.head.slice(0, 10)],
    ['branch', run.branch ?? ''],
    ['target', run.target ?? 'none: merge needs --to'],
    ['merged', run.merged?.commit.slice(0, 10) ?? ''],
    ['exposed', (run.exposed ?? []).map(exposedText).join(', ')],
    ['used', [shortUsage(run.usage), ...limitTexts(run.limits)].filter((text) => text !== '').join(' · ')],
  ];
  return facts
    .filter(([, text]) => text !== '')
    .flatMap(([name, text]) => {
      const [first = '', ...more] = wrap(printableLine(text), style.width - FACT_COLUMN);
      return [
        `${paint(style, 'dim', name.padEnd(FACT_COLUMN))}${first}`,
        ...more.map((line) => ' '.repeat(FACT_COLUMN) + line),
      ];
    });
}

function commandLines(run: RunToGoOn & Pick<RunDetail, 'slug'>, style: Style): string[] {
  const commands = nextCommands(run, printableLine(run.slug), style.width);
  return commands.length === 0 ? [] : ['', ...commands.map((line) => paint(style, 'dim', line))];
}

function forkedText({ slug, node, n }: NonNullable<RunDetail['forkedFrom']>): string {
  return `from ${slug} after ${node} #${n}`;
}

function stepTable({ steps, state }: Pick<RunDetail, 'steps' | 'state'>, style: Style): string[] {
  const head = ['STEP', 'KIND', 'OUTCOME', 'TOOK', 'COMMIT', ''];
  const rows = steps.map((step) => [
    step.n === 1 ? printableLine(step.node) : `${printableLine(step.node)} #${step.n}`,
    printableLine(step.kind),
    outcomeOf(step, state) + (step.attempts > 1 ? ` (attempt ${step.attempts})` : ''),
    step.startedAt === null || step.endedAt === null
      ? ''
      : shortDuration(Date.parse(step.endedAt) - Date.parse(step.startedAt)),
    step.checkpoint?.slice(0, 10) ?? '',
    [step.copied === true ? '(before the fork)' : '', fit(printableLine(step.detail ?? ''), LONGEST_DETAIL)]
      .filter((text) => text !== '')
      .join(' '),
  ]);
  return table([head, ...rows], style, {
    shrink: [[head.length - 1, 8]],
    paint: (cell, row) => (row === 0 ? paint(style, 'dim', cell) : cell),
  });
}

/** An approval is a step that is at work as long as nobody has answered it. */
function outcomeOf({ kind, outcome, state }: StepView, run: RunState): string {
  if (outcome !== null || kind !== 'approval' || state !== 'running') return printableLine(outcome ?? state);
  return isEnded(run.kind) ? 'unanswered' : 'waits';
}

/** Silence and repeats are no amounts that are used up, so they are left out. */
function limitTexts(limits: RunSummary['limits']): string[] {
  const spent = Object.entries(limits).filter(([name]) => name !== 'silence' && name !== 'repeats');
  return spent.map(([name, { used, max }]) => `${printableLine(name)} ${amount(name, used)} of ${amount(name, max)}`);
}

function amount(name: string, value: number): string {
  if (name === 'wall') return shortDuration(value);
  return name === 'cost' ? formatDollars(Math.round(value * 100) / 100) : formatCount(Math.round(value));
}
