import { expect, test } from 'vitest';
import type { RunState } from '../../domain/run.ts';
import { someRun } from '../fixture/server.ts';
import { ago, shortCount, shortDuration } from './amount.ts';
import { endingLines } from './ending.ts';
import { runScreen, runTable } from './run.ts';
import { PLAIN } from './style.ts';
import { widthOf } from './width.ts';

const NOW = Date.UTC(2026, 0, 1, 3);
const PARKED: RunState = {
  kind: 'parked',
  reason: { code: 'approval/wanted', message: 'review waits for a person.' },
  needs: { kind: 'approval', choices: ['approved', 'changes'], head: null },
};

test('the list shows each run in one line that fits', () => {
  const runs = [someRun(), someRun({ slug: 'other', state: PARKED, title: 'x'.repeat(300) })];
  const lines = runTable(runs, { ...PLAIN, width: 80 }, { now: NOW, repositories: false });
  expect(lines).toHaveLength(3);
  expect(lines[1]).toContain('round-the-totals-k7mz  running           minion     3h ago   Round the totals');
  expect(lines[2]).toContain('parked: approval');
  for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(80);
});

test('the repository is shown only where runs of several are listed', () => {
  expect(runTable([someRun()], PLAIN, { now: NOW, repositories: true }).join('\n')).toContain('/home/somebody/shop');
  expect(runTable([someRun()], PLAIN, { now: NOW, repositories: false }).join('\n')).not.toContain(
    '/home/somebody/shop',
  );
});

test('one run shows state, facts, limits, steps and what can be typed next', () => {
  const step = {
    node: 'lint',
    n: 2,
    kind: 'check',
    state: 'ended',
    outcome: 'fail',
    attempts: 2,
    startedAt: '2026-01-01T00:00:00Z',
    endedAt: '2026-01-01T00:00:03Z',
    checkpoint: null,
  };
  const lines = runScreen(
    someRun({
      state: PARKED,
      steps: [step],
      limits: { wall: { used: 65_000, max: 7_200_000 }, cost: { used: 0.123, max: 5 } },
    }),
    PLAIN,
  ).join('\n');
  expect(lines).toContain('‖ waits for a person\n');
  expect(lines).toContain('wall 1m 05s of 2h 00m · cost 0.12 USD of 5 USD');
  expect(lines).toMatch(/lint #2 +check +fail \(attempt 2\) +3\.0s/);
  expect(lines).toContain('switchyard approve round-the-totals-k7mz --choice changes --note "…"');
});

test('an ending says where the result is and what comes next', () => {
  const done = { kind: 'succeeded', end: 'done' } as const;
  const delivered = endingLines(someRun({ state: done, branch: 'switchyard/round' }), PLAIN).join('\n');
  expect(delivered).toContain('✓ succeeded\n  on branch switchyard/round');
  expect(delivered).toContain('switchyard merge round-the-totals-k7mz');
  const merged = endingLines(someRun({ state: done, merged: { commit: 'd'.repeat(40), tree: 'e' } }), PLAIN).join('\n');
  expect(merged).toBe('✓ succeeded\n  merged into main: dddddddddd');
});

test('a run that changed nothing proposes no merge', () => {
  const run = someRun({ state: { kind: 'succeeded', end: 'done' } });
  const lines = endingLines({ ...run, head: run.base.commit }, PLAIN).join('\n');
  expect(lines).toBe('✓ succeeded\n  nothing was changed');
});

test('amounts are short', () => {
  expect([400, 12_000, 59_700, 125_000, 3_720_000].map(shortDuration)).toEqual([
    '0.4s',
    '12s',
    '1m 00s',
    '2m 05s',
    '1h 02m',
  ]);
  expect([950, 12_345, 999_990, 4_500_000].map(shortCount)).toEqual(['950', '12.3k', '1M', '4.5M']);
  expect([NOW - 1000, NOW - 300_000, NOW - 4 * 3_600_000, NOW - 72 * 3_600_000].map((then) => ago(then, NOW))).toEqual([
    'just now',
    '5m ago',
    '4h ago',
    '3d ago',
  ]);
});
