import { expect, test } from 'vitest';
import { SYSTEM } from '../../domain/actor.ts';
import type { EventPayload } from '../../domain/event.ts';
import { type Activity, trackActivity } from './activity.ts';

const BEGAN = Date.UTC(2026, 0, 1);
const LEAVING = 'Ctrl-C: detach or cancel';
const STARTED = { kind: 'step.started', node: 'implement', n: 1, nodeKind: 'agent' } as const;
const TOOL = { kind: 'agent.tool', node: 'implement', n: 1, name: 'edit' } as const;

test('a run that nothing works on yet waits for a place', () => {
  expect(after(told([]), 3)[0]).toBe('▸ waiting for a place');
});

test('an agent is thinking, then uses a tool, then says something', () => {
  const activity = told([[0, STARTED]]);
  expect(after(activity, 2)).toEqual(['▸ implement  2s  thinking', `  run 2s · turn 1 · ${LEAVING}`]);
  tell(activity, 3, { ...TOOL, call: '1', phase: 'started', input: 'src/a.js\nold' });
  expect(after(activity, 4)[0]).toBe('▸ implement  4s  → edit src/a.js old');
  tell(activity, 5, { ...TOOL, call: '1', phase: 'ended', ok: true });
  tell(activity, 5, { kind: 'agent.text', node: 'implement', n: 1, text: 'One.\nNow the tests.\n' });
  expect(after(activity, 6)).toEqual(['▸ implement  6s  Now the tests.', `  run 6s · turn 2 · ${LEAVING}`]);
});

test('a tool that takes long is told with its time, and how many run beside it', () => {
  const activity = told([
    [0, STARTED],
    [0, { ...TOOL, call: '1', phase: 'started', input: 'a' }],
    [1, { ...TOOL, call: '2', phase: 'started', input: 'b' }],
  ]);
  expect(after(activity, 90)[0]).toBe('▸ implement  1m 30s  → edit b (1m 29s) (and 1 more)');
});

test('tokens and money add up; that nobody knows the price is said', () => {
  const usage = { input: 1000, output: 234, cached: 0, reasoning: 0 };
  const activity = told([
    [0, STARTED],
    [1, { kind: 'agent.usage', node: 'implement', n: 1, usage: { ...usage, cost: null } }],
  ]);
  expect(after(activity, 5)[1]).toContain('1.2k tokens · price unknown');
  tell(activity, 6, { kind: 'agent.usage', node: 'implement', n: 1, usage: { ...usage, cost: 0.1 } });
  expect(after(activity, 7)[1]).toContain('2.5k tokens · 0.10 USD');
});

test('checks are told as they end, and between two steps the run is on its way', () => {
  const activity = told([[0, { kind: 'step.started', node: 'ci', n: 2, nodeKind: 'check' }]]);
  expect(after(activity, 1)[0]).toBe('▸ ci #2  1s');
  tell(activity, 2, {
    kind: 'check.ended',
    node: 'ci',
    n: 2,
    check: 'types',
    verdict: 'pass',
    commit: 'c',
    items: [],
    durationMs: 1,
  });
  expect(after(activity, 3)[0]).toBe('▸ ci #2  3s  types: pass');
  tell(activity, 4, { kind: 'step.ended', node: 'ci', n: 2, outcome: 'pass', checkpoint: null });
  expect(after(activity, 5)).toEqual(['▸ on to the next step', `  run 5s · ${LEAVING}`]);
});

test('on a narrow terminal the least important goes first', () => {
  const usage = { input: 1000, output: 0, cached: 0, reasoning: 0, cost: null };
  const activity = told([
    [0, STARTED],
    [1, { kind: 'agent.usage', node: 'implement', n: 1, usage }],
  ]);
  expect(after(activity, 5, 30)[1]).toBe('  run 5s · turn 1');
  expect(after(activity, 5, 12)[1]).toBe('  run 5s');
});

test('no escape sequence of an agent gets into it', () => {
  const hostile = '\u001b[2J\u001b]0;owned\u0007text\u202e';
  const activity = told([
    [0, { ...STARTED, node: hostile }],
    [0, { kind: 'agent.text', node: 'a', n: 1, text: hostile }],
  ]);
  expect(after(activity, 1).join('')).not.toMatch(/[\p{Cc}\u202e]/u);
  tell(activity, 1, { ...TOOL, name: hostile, call: '1', phase: 'started', input: hostile });
  expect(after(activity, 1).join('')).not.toMatch(/[\p{Cc}\u202e]/u);
});

function told(events: readonly (readonly [number, EventPayload])[]): Activity {
  const activity = trackActivity();
  for (const [seconds, payload] of events) tell(activity, seconds, payload);
  return activity;
}

function tell(activity: Activity, seconds: number, payload: EventPayload): void {
  const at = new Date(BEGAN + seconds * 1000).toISOString();
  activity.add({ seq: 1, at, run: 'r', actor: SYSTEM, ...payload });
}

function after(activity: Activity, seconds: number, columns = 100): string[] {
  return activity.lines({ now: BEGAN + seconds * 1000, columns, leaving: LEAVING });
}
