import { basename } from 'node:path';
import type { UsageFacts, UsageReport, UsageRow } from '../../api/schemas/usage.ts';
import { formatDollars } from '../../domain/units.ts';
import { counted } from '../../lib/counted.ts';
import { printableLine } from '../../lib/printable.ts';
import { shortCount, shortMoney } from './amount.ts';
import { budgetLines } from './budget.ts';
import { paint, type Style } from './style.ts';
import { table } from './table.ts';
import { wrap } from './width.ts';

/** What calls to models came to: a table, its sum, and what of it is not certain. */
export function usageScreen(report: UsageReport, style: Style): string[] {
  const told = (report.notes ?? []).flatMap((note) => wrap(printableLine(note), style.width));
  if (report.total.calls === 0)
    return [...wrap(nothing(report), style.width), ...told, ...budgetLines(report.budgets ?? [], style)];
  const compares = report.rows.some(({ reported }) => reported !== null) || report.total.reported !== null;
  const reportedHeads = compares ? ['REPORTED', 'DIFFERENCE'] : [];
  const head = [report.by.toUpperCase(), 'CALLS', 'READ', 'CACHED', 'PRODUCED', 'COST', ...reportedHeads];
  const cells = (name: string, facts: UsageFacts) => [
    name,
    facts.failed === 0 ? String(facts.calls) : `${facts.calls} (${facts.failed} failed)`,
    ...[facts.tokens.input, facts.tokens.cached, facts.tokens.output].map((tokens) => shortCount(tokens)),
    moneyText(facts),
    ...(compares ? [reportedText(facts), differenceText(facts)] : []),
  ];
  const rows = report.rows.map((row) => cells(rowName(row, report), row));
  const sum = cells(`all${periodText(report)}`, report.total);
  return [
    ...table([head, ...rows, sum], style, {
      shrink: [[0, 12]],
      paint: (cell, row) =>
        row === 0 ? paint(style, 'dim', cell) : row > rows.length ? paint(style, 'bold', cell) : cell,
    }),
    ...notes(report)
      .flatMap((note) => wrap(note, style.width))
      .map((line) => paint(style, 'dim', line)),
    ...told,
    ...budgetLines(report.budgets ?? [], style),
  ];
}

/**
 * For programs: one line a row, amounts exact; what nobody knows is `unknown` or empty, and never 0. `run` is the id of the run of a row that
 * is one run's, `id` that of the row, which no other has.
 */
export function usageCsv({ by, rows }: UsageReport): (string | number)[][] {
  const head = [
    by === 'run' ? 'slug' : by,
    'id',
    'run',
    'calls',
    'failed_calls',
    'input_tokens',
    'cached_tokens',
    'cache_write_tokens',
    'output_tokens',
    'reasoning_tokens',
    'estimated_calls',
    'uncounted_calls',
    'cost_usd',
    'unpriced_calls',
    'reported_input_tokens',
    'reported_output_tokens',
    'reported_cost_usd',
  ];
  return [head, ...rows.map((row) => csvRow(row, by))];
}

function csvRow(row: UsageRow, by: UsageReport['by']): (string | number)[] {
  const { tokens, reported } = row;
  const run = by === 'run' ? row.key : row.run;
  const id = by === 'step' ? stepId(row) : row.key;
  return [
    printableLine(row.name ?? ''),
    printableLine(id ?? ''),
    run ?? '',
    row.calls,
    row.failed,
    tokens.input,
    tokens.cached,
    tokens.cacheWrite,
    tokens.output,
    tokens.reasoning,
    row.estimated,
    row.uncounted,
    row.cost ?? (row.unpriced === 0 ? 0 : 'unknown'),
    row.unpriced,
    reported?.input ?? '',
    reported?.output ?? '',
    reported === null ? '' : (reported.cost ?? 'unknown'),
  ];
}

/** `RUN/implement#2`, as `--step` takes its end; what was done by hand is of no node. */
function stepId({ key, run }: UsageRow): string {
  return `${run ?? ''}/${(key ?? '').replace(' #', '#')}`;
}

/** `1.23 USD`, `unknown`, or `at least 1.23 USD, 3 calls of unknown price`. */
export function moneyText({ cost, unpriced }: Pick<UsageFacts, 'cost' | 'unpriced'>): string {
  if (unpriced === 0) return shortMoney(cost ?? 0);
  return cost === null ? 'unknown' : `at least ${knownPart(cost)}, ${counted(unpriced, 'call')} of unknown price`;
}

/** Less than a cent is told more exactly: `at least less than` says nothing. */
function knownPart(cost: number): string {
  return cost > 0 && cost < 0.005 ? formatDollars(Number(cost.toPrecision(2))) : shortMoney(cost);
}

/** Tokens that were read and produced, and the money where the agent says it. */
function reportedText({ reported }: UsageFacts): string {
  if (reported === null) return '';
  const money = reported.cost === null ? '' : `, ${shortMoney(reported.cost)}`;
  return `${shortCount(reported.input + reported.output)}${money}`;
}

function differenceText({ difference }: UsageFacts): string {
  if (difference === null) return '';
  const { tokens, cost } = difference;
  const money = cost === null ? '' : `, ${signed(cost, shortMoney)}`;
  return tokens === 0 && Math.abs(cost ?? 0) < 0.005 ? 'none' : `${signed(tokens, shortCount)}${money}`;
}

function signed(amount: number, written: (amount: number) => string): string {
  return `${amount < 0 ? '-' : '+'}${written(Math.abs(amount))}`;
}

const NAMELESS: Readonly<Partial<Record<UsageReport['by'], string>>> = {
  step: '(by hand)',
  team: '(no team)',
  label: '(no label)',
  agent: '(no agent)',
  model: '(not named)',
};

function rowName({ name, run }: UsageRow, { by, rows, run: only }: UsageReport): string {
  if (name === null) return NAMELESS[by] ?? '(none)';
  if (by === 'repository') {
    const isShared = rows.filter((other) => other.name !== null && basename(other.name) === basename(name)).length > 1;
    return printableLine(isShared ? name : basename(name));
  }
  const ofRun = by === 'step' && only === null && run !== null ? `${run} ` : '';
  return `${ofRun}${printableLine(name)}`;
}

function nothing({ run, ...period }: UsageReport): string {
  const whose = run === null ? '' : ` of ${printableLine(run.slug)}`;
  return `No call${whose} to a model went through the gateway${periodText(period)}.`;
}

/** ` since 2026-11-20 07:12 until …`, in UTC; empty without a bound. */
function periodText({ since, until }: Pick<UsageReport, 'since' | 'until'>): string {
  const bound = (word: string, at: string | null) =>
    at === null ? '' : ` ${word} ${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  return `${bound('since', since)}${bound('until', until)}`;
}

function notes({ by, rows, total }: UsageReport): string[] {
  const counts = rows.reduce((sum, { calls }) => sum + calls, 0);
  return [
    ...(counts > total.calls && (by === 'team' || by === 'label')
      ? [`A call counts for each ${by}, so the rows are more than all.`]
      : []),
    ...(total.estimated === 0
      ? []
      : [`Tokens of ${counted(total.estimated, 'call')} were estimated: cut off before the provider had said them.`]),
    ...(total.uncounted === 0 ? [] : [`Of ${counted(total.uncounted, 'call')} nobody knows the tokens.`]),
    ...(total.unpriced === 0 ? [] : ['Prices that are missing are written in config.yaml, under prices.']),
  ];
}
