import type { RunDetail, RunSummary, StepView } from '../../api/schemas.ts';
import { formatCount, formatDollars } from '../../domain/units.ts';
import { printable, printableLine } from '../../lib/printable.ts';
import { ago, shortDuration, shortUsage } from './amount.ts';
import { nextCommands, stateColour, stateLine, stateSymbol } from './state.ts';
import { paint, type Style } from './style.ts';
import { table } from './table.ts';

/** Runs as `ls` lists them, newest first. */
export function runTable(
  runs: readonly RunSummary[],
  style: Style,
  facts: { now: number; repositories: boolean },
): string[] {
  const head = ['', 'RUN', 'STATE', 'BLUEPRINT', ...(facts.repositories ? ['REPOSITORY'] : []), 'STARTED', 'TITLE'];
  const rows = runs.map((run) => [
    stateSymbol(run.state.kind),
    printableLine(run.slug),
    run.state.kind === 'parked' ? `parked: ${run.state.needs.kind}` : run.state.kind,
    printableLine(run.blueprint),
    ...(facts.repositories ? [printableLine(run.repository)] : []),
    ago(Date.parse(run.createdAt), facts.now),
    printableLine(run.title),
  ]);
  return table([head, ...rows], style, {
    shrink: head.length - 1,
    paint: (cell, row, column) => {
      const run = runs[row - 1];
      if (run === undefined) return paint(style, 'dim', cell);
      return column === 0 || column === 2 ? paint(style, stateColour(run.state.kind), cell) : cell;
    },
  });
}

/** One run on one screen. */
export function runScreen(run: RunDetail, style: Style): string[] {
  const facts: [string, string][] = [
    ['run', `${run.slug} (${run.id})`],
    ['repository', run.repository],
    ['blueprint', `${run.blueprint}${run.agent === null ? '' : `, agent ${run.agent}`}, sandbox ${run.sandbox}`],
    ['base', `${run.base.ref} at ${run.base.commit.slice(0, 10)}`],
    ['head', run.head === run.base.commit ? 'no change yet' : run.head.slice(0, 10)],
    ['branch', run.branch ?? ''],
    ['target', run.target ?? 'none: merge needs --to'],
    ['merged', run.merged?.commit.slice(0, 10) ?? ''],
    ['used', [shortUsage(run.usage), ...limitTexts(run.limits)].filter((text) => text !== '').join(' · ')],
  ];
  const shown = facts
    .filter(([, text]) => text !== '')
    .map(([name, text]) => `${paint(style, 'dim', name.padEnd(10))}  ${printableLine(text)}`);
  const asked =
    run.state.kind === 'parked' && run.state.needs.ask !== undefined
      ? ['', ...printable(run.state.needs.ask).trim().split('\n')]
      : [];
  const files =
    run.state.kind === 'parked' ? (run.state.needs.files ?? []).map((file) => `  ${printableLine(file)}`) : [];
  const commands = nextCommands(run, printableLine(run.slug));
  return [
    paint(style, 'bold', printableLine(run.title)),
    stateLine(run.state, style),
    ...files,
    '',
    ...shown,
    ...(run.steps.length === 0 ? [] : ['', ...stepTable(run.steps, style)]),
    ...asked,
    ...(commands.length === 0 ? [] : ['', ...commands.map((line) => paint(style, 'dim', line))]),
  ];
}

function stepTable(steps: readonly StepView[], style: Style): string[] {
  const head = ['STEP', 'KIND', 'OUTCOME', 'TOOK', 'COMMIT', ''];
  const rows = steps.map((step) => [
    step.n === 1 ? printableLine(step.node) : `${printableLine(step.node)} #${step.n}`,
    printableLine(step.kind),
    printableLine(step.outcome ?? step.state) + (step.attempts > 1 ? ` (attempt ${step.attempts})` : ''),
    step.startedAt === null || step.endedAt === null
      ? ''
      : shortDuration(Date.parse(step.endedAt) - Date.parse(step.startedAt)),
    step.checkpoint?.slice(0, 10) ?? '',
    printableLine(step.detail ?? ''),
  ]);
  return table([head, ...rows], style, {
    shrink: head.length - 1,
    paint: (cell, row) => (row === 0 ? paint(style, 'dim', cell) : cell),
  });
}

/** Silence is no amount that is used up, so it is left out. */
function limitTexts(limits: RunSummary['limits']): string[] {
  const spent = Object.entries(limits).filter(([name]) => name !== 'silence');
  return spent.map(([name, { used, max }]) => `${printableLine(name)} ${amount(name, used)} of ${amount(name, max)}`);
}

function amount(name: string, value: number): string {
  if (name === 'wall') return shortDuration(value);
  return name === 'cost' ? formatDollars(Math.round(value * 100) / 100) : formatCount(Math.round(value));
}
