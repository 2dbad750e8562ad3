import { expect, test } from 'vitest';
import { type Checked, checkReport, joinReports } from './report.ts';

const failed: Checked = {
  name: 'lint',
  command: 'npm run lint',
  verdict: 'fail',
  end: { kind: 'exited', code: 1 },
  items: [
    { file: 'a.ts', line: 3, column: 5, rule: 'no-var', message: 'Unexpected var', remediation: 'use const' },
    { message: 'and something else' },
  ],
  output: { text: 'the whole output\n', omitted: 0 },
  durationMs: 1234,
  notes: [],
};

test('a failure says what, how, where, and what to do, before the output', () => {
  expect(checkReport(failed)).toBe(
    [
      'lint: failed with exit code 1 (1.2 s)',
      'command: npm run lint',
      '',
      '- a.ts:3:5  no-var  Unexpected var',
      '  remedy: use const',
      '- and something else',
      '',
      'output:',
      'the whole output',
    ].join('\n'),
  );
});

test('of a long output the last whole lines are shown', () => {
  const text = Array.from({ length: 5000 }, (_, index) => `line ${index}`).join('\n');
  const report = checkReport({ ...failed, items: [], output: { text, omitted: 0 } });
  expect(report).toMatch(/end of the output:\nline \d+\n/);
  expect(report.endsWith('line 4999')).toBe(true);
  expect(report.length).toBeLessThan(9000);
});

test('a pass is one line', () => {
  expect(checkReport({ ...failed, verdict: 'pass', durationMs: 125_000 })).toBe('lint: passed (2 min 5 s)');
});

test('several reports come as one text, those with work to do first', () => {
  const joined = joinReports([
    { verdict: 'pass', report: 'a: passed' },
    { verdict: 'fail', report: 'b: failed' },
    { verdict: 'pass', report: 'c: passed' },
    { verdict: 'timeout', report: 'd: timed out' },
  ]);
  expect(joined).toBe('b: failed\n\nd: timed out\n\na: passed\nc: passed');
  expect(joinReports([])).toBe('');
});
