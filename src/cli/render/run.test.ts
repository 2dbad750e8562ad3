import { expect, test } from 'vitest';
import type { StepView } from '../../api/schemas/run.ts';
import type { RunState } from '../../domain/run.ts';
import { someRun } from '../fixture/server.ts';
import { QUOTA } from '../fixture/states.ts';
import { ago, shortCount, shortDuration } from './amount.ts';
import { endingLines } from './ending.ts';
import { runTable } from './list.ts';
import { runScreen, whyScreen } from './run.ts';
import { stateWords } from './state.ts';
import { PLAIN } from './style.ts';
import { widthOf } from './width.ts';

const NOW = Date.UTC(2026, 0, 1, 3);
const PARKED: Extract<RunState, { kind: 'parked' }> = {
  kind: 'parked',
  reason: { code: 'approval/wanted', message: 'review waits for a person.' },
  needs: { kind: 'approval', choices: ['approved', 'changes'], head: null },
};

test('the list shows each run in one line that fits: what it waits for, where it is, what it used', () => {
  const limit: RunState = {
    kind: 'parked',
    reason: { code: 'limit/turns', message: 'The agents of this run have used 60 of 60 turns.' },
    needs: { kind: 'limit', choices: ['retry'], head: null },
  };
  const usage = { input: 12_000, output: 345, cached: 0, reasoning: 0 };
  const runs = [
    someRun({ at: { node: 'lint', n: 2, state: 'running' }, usage: { ...usage, cost: 0.42 } }),
    someRun({ slug: 'other', state: PARKED, usage: { ...usage, cost: null } }),
    someRun({ slug: 'x'.repeat(60), state: limit, at: { node: 'fix', n: 1, state: 'ended' } }),
    someRun({ slug: 'queued', at: { node: 'implement', n: 1, state: 'waiting' } }),
  ];
  const lines = runTable(runs, { ...PLAIN, width: 120 }, { now: NOW, repositories: false });
  expect(lines[1]).toMatch(/round-the-totals-k7mz +running +lint #2 +codex +0.42 USD +3h ago$/);
  expect(lines[2]).toMatch(/other +waits for your answer +codex +12.3k tokens +3h ago$/);
  expect(lines[3]).toMatch(/waits for you: limit: The[^…]*… +fix +codex +3h ago$/);
  expect(lines[4]).toContain('waits for a place');
  for (const columns of [80, 50, 30])
    for (const line of runTable(runs, { ...PLAIN, width: columns }, { now: NOW, repositories: false }))
      expect(widthOf(line)).toBeLessThanOrEqual(columns);
});

test('the list says until when a run waits that waits for nobody', () => {
  const state = (until: string): RunState => ({ ...QUOTA, needs: { ...QUOTA.needs, until } });
  const untils = ['2026-01-01T03:02:25.000Z', '2026-01-01T18:40:25.000Z', '2026-01-03T18:40:25.000Z'];
  const lines = runTable(
    untils.map((until) => someRun({ state: state(until) })),
    { ...PLAIN, width: 120 },
    { now: NOW, repositories: false },
  );
  expect(lines[1]).toContain('waits until 03:02:25 UTC: The quota is used up.');
  expect(lines[2]).toContain('waits until 18:40 UTC: ');
  expect(lines[3]).toContain('waits until 2026-01-03 18:40 UTC: ');
  expect(lines.join('\n')).not.toContain('for you');
});

test('the repository is shown only where runs of several are listed', () => {
  expect(runTable([someRun()], PLAIN, { now: NOW, repositories: true }).join('\n')).toMatch(/ shop$/m);
  expect(runTable([someRun()], PLAIN, { now: NOW, repositories: false }).join('\n')).not.toContain('shop');
  const two = [someRun(), someRun({ repository: '/work/shop' })];
  expect(runTable(two, PLAIN, { now: NOW, repositories: true }).join('\n')).toMatch(/ \/work\/shop$/m);
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
    ['It waits at review #1.'],
    PLAIN,
  ).join('\n');
  expect(lines).toContain('‖ waits for a person\n  It waits at review #1.\n');
  expect(lines).toContain('wall 1m 05s of 2h 00m · cost 0.12 USD of 5 USD');
  expect(lines).toMatch(/lint #2 +check +fail \(attempt 2\) +3\.0s/);
  expect(lines).toContain('switchyard approve round-the-totals-k7mz --choice changes --note "…"');
});

test('an approval that nobody has answered waits, and does not in a run that is over', () => {
  const review = {
    node: 'review',
    n: 1,
    kind: 'approval',
    state: 'running',
    outcome: null,
    attempts: 0,
    startedAt: '2026-01-01T00:00:00Z',
    endedAt: null,
    checkpoint: null,
  } as const;
  const screen = (state: RunState, step: Partial<StepView> = {}) =>
    runScreen(someRun({ state, steps: [{ ...review, ...step }] }), [], PLAIN).join('\n');
  expect(screen(PARKED)).toMatch(/^review +approval +waits/m);
  expect(screen({ kind: 'discarded' })).toMatch(/^review +approval +unanswered/m);
  expect(screen(PARKED, { outcome: 'approved', state: 'ended' })).toMatch(/^review +approval +approved/m);
  expect(screen({ kind: 'running' }, { node: 'lint', kind: 'check' })).toMatch(/^lint +check +running/m);
});

test('a note is offered where a retry is the answer that hands it on, and not where it asks again', () => {
  const commands = (choices: readonly string[]) => {
    const needs = { kind: 'approval' as const, choices: [...choices], head: null, ask: 'It got no further.' };
    return whyScreen(someRun({ state: { ...PARKED, needs } }), [], PLAIN).join('\n');
  };
  const offered = commands(['retry', 'abandoned']);
  expect(offered).toContain('switchyard approve round-the-totals-k7mz --choice retry --note "…"');
  expect(offered).toContain('switchyard retry round-the-totals-k7mz');
  expect(commands(['yes', 'no', 'retry', 'abandoned'])).not.toContain('--choice retry --note');
  expect(commands(['approved', 'changes', 'abandoned', 'retry'])).not.toContain('--choice retry');
});

test('of a question over several lines its first paragraph is told beside the state, whole', () => {
  const ask =
    'The agent got no further by itself: it changed nothing, or\nthe checks still fail.\n\n- `retry` lets it try.';
  const needs = { kind: 'approval' as const, choices: ['retry'], head: null, ask };
  expect(stateWords({ ...PARKED, needs })).toBe(
    'waits for a person: The agent got no further by itself: it changed nothing, or the checks still fail.',
  );
});

test('a run whose agents had a login within their walls says whose and which, and any other has no such line', () => {
  const exposed = [{ agent: 'codex', login: '/home/ada/.codex/auth.json', since: '2026-01-01T00:00:00Z' }];
  const screen = (changes: Parameters<typeof someRun>[0]) => runScreen(someRun(changes), [], PLAIN).join('\n');
  expect(screen({ exposed })).toMatch(/^exposed +the login of codex \(\/home\/ada\/\.codex\/auth\.json\)$/m);
  expect(screen({})).not.toContain('exposed');
});

test('why is told with what would go on, whatever the state', () => {
  const states: readonly [RunState, string][] = [
    [{ kind: 'queued' }, 'switchyard cancel'],
    [{ kind: 'running' }, 'switchyard logs -f'],
    [PARKED, 'switchyard approve'],
    [{ kind: 'succeeded', end: 'done' }, 'switchyard send'],
    [{ kind: 'failed', reason: { code: 'x', message: 'It broke.' } }, 'switchyard retry'],
    [{ kind: 'cancelled' }, 'switchyard checkout'],
    [{ kind: 'discarded' }, 'switchyard restore'],
  ];
  for (const [state, command] of states) {
    const lines = whyScreen(someRun({ state }), ['Because of this and that.'], { ...PLAIN, width: 60 });
    expect(lines[0]).toBe('Round the totals');
    expect(lines[2]).toBe('  Because of this and that.');
    expect(lines.join('\n')).toContain(command);
  }
});

const COMMANDS_BY_PARK: readonly (readonly [string, 'conflict' | 'checkout' | 'limit' | 'error', readonly string[]])[] =
  [
    ['open', 'checkout', ['open --back']],
    ['open/waits', 'checkout', ['diff', 'open', 'send', 'retry', 'approve --choice']],
    ['merge/conflict', 'conflict', ['diff', 'merge', 'retry', 'approve --choice']],
    ['merge/target-busy', 'conflict', ['diff', 'retry', 'approve --choice']],
    ['deliver/branch-moved', 'conflict', ['diff', 'checkout --branch', 'retry', 'approve --choice']],
    ['merge/red-checks', 'conflict', ['diff', 'open', 'send', 'retry', 'approve --choice']],
    ['merge/checkout-dirty', 'checkout', ['diff', 'retry', 'approve --choice']],
    ['limit/turns', 'limit', ['diff', 'open', 'send', 'retry', 'approve --choice']],
    ['outcome/unchanged', 'error', ['diff', 'open', 'send', 'retry', 'approve --choice']],
    ['outcome/error', 'error', ['diff', 'open', 'retry', 'approve --choice']],
  ];

test.each(COMMANDS_BY_PARK)('a run parked for %s offers what works there', (code, kind, wanted) => {
  const needs = { kind, choices: kind === 'checkout' && code === 'open' ? [] : ['retry', 'abandoned'], head: null };
  const state: RunState = { kind: 'parked', reason: { code, message: 'It stopped.' }, needs };
  const lines = whyScreen(someRun({ state }), [], PLAIN).filter((line) => line.startsWith('switchyard '));
  const offered = lines.map((line) => /^switchyard (\w+) \S+( --\w+)?/.exec(line)?.slice(1).join(''));
  expect(offered).toEqual(wanted);
  expect(lines.join('\n').includes('this bound in full')).toBe(kind === 'limit');
});

test('a result that was not delivered is not offered to be merged', () => {
  const state: RunState = { kind: 'succeeded', end: 'done' };
  expect(whyScreen(someRun({ state, branch: 'switchyard/x' }), [], PLAIN).join('\n')).toContain('switchyard merge');
  expect(whyScreen(someRun({ state, branch: null }), [], PLAIN).join('\n')).not.toContain('switchyard merge');
});

test('an ending says where the result is and what comes next', () => {
  const done = { kind: 'succeeded', end: 'done' } as const;
  const limits = { wall: { used: 125_000, max: 7_200_000 }, turns: { used: 1, max: 60 } };
  const usage = { input: 90, output: 10, cached: 0, reasoning: 0, cost: null };
  const run = someRun({ state: done, branch: 'switchyard/round', limits, usage });
  const delivered = endingLines(run, PLAIN).join('\n');
  expect(delivered).toContain(
    '✓ succeeded · 2m 05s · 1 turn · 100 tokens · price unknown\n  on branch switchyard/round',
  );
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
