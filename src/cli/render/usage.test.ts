import { expect, test } from 'vitest';
import type { UsageReport } from '../../api/schemas/usage.ts';
import { someFacts, someReport, someRow } from '../fixture/usage.ts';
import { PLAIN } from './style.ts';
import { moneyText, usageCsv, usageScreen } from './usage.ts';

const screen = (changes: Parameters<typeof someReport>[0], style = PLAIN) => usageScreen(someReport(changes), style);

test('a table has calls, tokens by kind and money, and their sum for the period', () => {
  expect(screen({ rows: [someRow('ada'), someRow('bob', { calls: 3, failed: 1, cost: 0.001 })] })).toEqual([
    'PERSON                          CALLS         READ    CACHED  PRODUCED  COST',
    'ada                             12            123.4k  100k    4.5k      1.23 USD',
    'bob                             3 (1 failed)  123.4k  100k    4.5k      <0.01 USD',
    'all since 2026-10-28 18:00 UTC  12            123.4k  100k    4.5k      1.23 USD',
  ]);
});

test.each([
  [{ cost: 1.234, unpriced: 0 }, '1.23 USD'],
  [{ cost: null, unpriced: 0 }, '0.00 USD'],
  [{ cost: null, unpriced: 4 }, 'unknown'],
  [{ cost: 1.23, unpriced: 3 }, 'at least 1.23 USD, 3 calls of unknown price'],
  [{ cost: 0.001234, unpriced: 3 }, 'at least 0.0012 USD, 3 calls of unknown price'],
  [{ cost: 0.001234, unpriced: 0 }, '<0.01 USD'],
  [{ cost: 1.23, unpriced: 1 }, 'at least 1.23 USD, 1 call of unknown price'],
])('money of %j is %s', (facts, text) => {
  expect(moneyText(facts)).toBe(text);
});

test('what agents report stands beside it, with the difference', () => {
  const reported = { input: 120_000, cached: 0, output: 4500, reasoning: 0, cost: 1.5 };
  const lines = screen({
    by: 'run',
    rows: [
      someRow('r1', { name: 'round-the-totals', reported, difference: { tokens: 3400, cost: -0.27 } }),
      someRow('r2', { reported, difference: { tokens: 0, cost: 0.001 } }),
      someRow('r3', { reported: { ...reported, cost: null }, difference: { tokens: -100, cost: null } }),
      someRow('r4'),
    ],
  });
  expect(lines[0]).toMatch(/REPORTED +DIFFERENCE$/);
  expect(lines[1]).toMatch(/^round-the-totals .* 124\.5k, 1\.50 USD +\+3\.4k, -0\.27 USD$/);
  expect(lines[2]).toMatch(/ none$/);
  expect(lines[3]).toMatch(/ 124\.5k +-100$/);
  expect(lines[4]).toMatch(/1\.23 USD$/);
});

test('where no agent reports anything, there is no column for it', () => {
  expect(screen({})[0]).not.toContain('REPORTED');
});

test('what has no name is said, and repositories have the name of their folder where that is enough', () => {
  const first = (lines: string[]) =>
    lines
      .slice(
        1,
        lines.findIndex((line) => line.startsWith('all ')),
      )
      .map((line) => line.split(/ {2,}/)[0]);
  expect(first(screen({ by: 'team', rows: [someRow(null)] }))).toEqual(['(no team)']);
  expect(first(screen({ by: 'model', rows: [someRow(null)] }))).toEqual(['(not named)']);
  const rows = ['/a/shop', '/b/shop', '/a/bank'].map((path) => someRow('id', { name: path }));
  expect(first(screen({ by: 'repository', rows }))).toEqual(['/a/shop', '/b/shop', 'bank']);
  const step = someRow('fix #1', { run: 'r1' });
  expect(first(screen({ by: 'step', rows: [step] }))).toEqual(['r1 fix #1']);
  expect(first(screen({ by: 'step', rows: [step], run: { id: 'r1', slug: 'one' } }))).toEqual(['fix #1']);
});

test('names cannot write on the terminal', () => {
  expect(screen({ by: 'label', rows: [someRow('\u001b[2Jbug\u202e')] })[1]).toMatch(/^bug /);
});

test('what is not certain is said below', () => {
  const total = someFacts({ estimated: 2, uncounted: 1, unpriced: 3 });
  expect(screen({ by: 'label', rows: [someRow('bug'), someRow('totals')], total }).slice(4)).toEqual([
    'A call counts for each label, so the rows are more than all.',
    'Tokens of 2 calls were estimated: cut off before the provider had said them.',
    'Of 1 call nobody knows the tokens.',
    'Prices that are missing are written in config.yaml, under prices.',
  ]);
  expect(screen({})).toHaveLength(3);
});

test('what the server has to say of it stands below, also where there is nothing', () => {
  const notes = ['The machine’s config.yaml is broken.'];
  expect(screen({ notes }).at(-1)).toBe(notes[0]);
  expect(screen({ notes, rows: [], total: someFacts({ calls: 0 }) }).at(-1)).toBe(notes[0]);
});

test('that there is nothing is said, with what was looked for', () => {
  const total = someFacts({ calls: 0 });
  expect(screen({ rows: [], total })).toEqual([
    'No call to a model went through the gateway since 2026-10-28 18:00 UTC.',
  ]);
  expect(screen({ rows: [], total, since: null, run: { id: 'r1', slug: 'round-the-totals' } })).toEqual([
    'No call of round-the-totals to a model went through the gateway.',
  ]);
});

test('a narrow terminal shortens names first', () => {
  const lines = screen({ rows: [someRow('a-person-with-a-very-long-name')] }, { ...PLAIN, width: 60 });
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(60);
  expect(lines[1]).toMatch(/^a-person.*… .*1\.23 USD$/);
});

test('CSV has exact amounts, and says what is unknown', () => {
  const reported = { input: 1, cached: 0, output: 2, reasoning: 0, cost: null };
  const rows = usageCsv(
    someReport({
      by: 'run',
      rows: [
        someRow('r1', { name: 'one', cost: null, unpriced: 12, reported }),
        someRow('r2', { name: 'two', cost: 0.000123 }),
        someRow(null, { cost: null }),
      ],
    }),
  );
  const column = (name: string) => rows.map((row) => row[rows[0]?.indexOf(name) ?? -1]);
  expect(column('slug')).toEqual(['slug', 'one', 'two', '']);
  expect(column('run')).toEqual(['run', 'r1', 'r2', '']);
  expect(column('id')).toEqual(['id', 'r1', 'r2', '']);
  expect(column('cost_usd')).toEqual(['cost_usd', 'unknown', 0.000123, 0]);
  expect(column('unpriced_calls')).toEqual(['unpriced_calls', 12, 0, 0]);
  expect(column('reported_output_tokens')).toEqual(['reported_output_tokens', 2, '', '']);
  expect(column('reported_cost_usd')).toEqual(['reported_cost_usd', 'unknown', '', '']);
  expect(new Set(rows.map((row) => row.length)).size).toBe(1);
});

test.each(['run', 'step', 'person', 'day'] as const)('columns of CSV by %s have different names', (by) => {
  const [head] = usageCsv(someReport({ by }));
  expect(new Set(head).size).toBe(head?.length);
});

test('the step of another run has another id in CSV', () => {
  const rows = ['r1', 'r2'].map((run) => someRow('fix #1', { run }));
  const written = usageCsv(someReport({ by: 'step', rows: [...rows, someRow(null, { run: 'r1' })] }));
  expect(written.map((row) => row.slice(0, 3))).toEqual([
    ['step', 'id', 'run'],
    ['fix #1', 'r1/fix#1', 'r1'],
    ['fix #1', 'r2/fix#1', 'r2'],
    ['', 'r1/', 'r1'],
  ]);
});

test('budgets stand below the table, and where there is nothing else', () => {
  const amount = (max: number, used: number) => ({ max, used, left: Math.max(0, max - used) });
  const one = { name: 'person-day', per: 'person', each: 'day', whose: 'ada', unpriced: 0 } as const;
  const until = '2026-11-28T00:00:00.000Z';
  const budgets: UsageReport['budgets'] = [
    { ...one, cost: amount(20, 12.3), tokens: amount(2_000_000, 2_100_000), until },
    {
      ...one,
      name: 'house',
      per: 'everything',
      each: 'ever',
      whose: null,
      cost: amount(100, 1),
      tokens: null,
      unpriced: 2,
      until: null,
    },
  ];
  const wanted = [
    '',
    'BUDGET      OF          LEFT                   USED                                      BEGINS AGAIN',
    'person-day  ada         7.70 USD and 0 tokens  12.30 of 20.00 USD and 2.1M of 2M tokens  2026-11-28 00:00 UTC',
    'house       everything  99.00 USD              1.00 of 100.00 USD                        never',
    'Calls of unknown price count in no bound on money: 2 in house.',
  ];
  const wide = { ...PLAIN, width: 120 };
  expect(screen({ budgets }, wide).slice(3)).toEqual(wanted);
  expect(screen({ budgets, rows: [], total: someFacts({ calls: 0 }) }, wide).slice(1)).toEqual(wanted);
  expect(screen({ budgets: [] })).toEqual(screen({}));
});
