import { expect, test } from 'vitest';
import { SYSTEM } from '../../domain/actor.ts';
import type { Event, EventPayload } from '../../domain/event.ts';
import { QUOTA } from '../fixture/states.ts';
import { type EventView, eventRenderer } from './event.ts';
import { PLAIN } from './style.ts';

const PROGRESS: EventView = { ...PLAIN, detail: 'progress', live: false, name: 'fix-it-k7mz' };
const FULL: EventView = { ...PROGRESS, detail: 'full' };
const LIVE: EventView = { ...PROGRESS, width: 60, redraws: true, live: true };
const TOOL = { kind: 'agent.tool', node: 'a', n: 1, call: '1', name: 'edit' } as const;

test('a step shows its beginning, and at its end the outcome and how long it took', () => {
  const render = eventRenderer(PROGRESS);
  expect(render(at(0, { kind: 'step.started', node: 'lint', n: 1, nodeKind: 'check' }))).toEqual(['▸ lint']);
  expect(render(at(2, { kind: 'step.ended', node: 'lint', n: 1, outcome: 'pass', checkpoint: null }))).toEqual([
    '✓ lint            pass       2.0s',
  ]);
});

test('a second step of a node has its number, and a bad outcome its reason', () => {
  const render = eventRenderer(PROGRESS);
  render(at(0, { kind: 'step.started', node: 'ci', n: 2, nodeKind: 'check' }));
  const ended = at(75, {
    kind: 'step.ended',
    node: 'ci',
    n: 2,
    outcome: 'fail',
    checkpoint: null,
    detail: 'test failed.',
  });
  expect(render(ended)).toEqual(['✗ ci #2           fail       1m 15s  test failed.']);
});

test('of what an agent says on its way, the first line is shown; of its tools, name and input', () => {
  const render = eventRenderer(PROGRESS);
  expect(render(at(0, { kind: 'agent.text', node: 'a', n: 1, text: '\n\nI will look.\nThen edit.' }))).toEqual([]);
  expect(render(at(0, { ...TOOL, phase: 'started', input: 'src/a.js\nold\nnew' }))).toEqual([
    '    I will look.',
    '    → edit src/a.js old new',
  ]);
  expect(render(at(0, { ...TOOL, phase: 'ended', output: 'ok', ok: true }))).toEqual([]);
  expect(render(at(0, { ...TOOL, phase: 'ended', output: 'no such file', ok: false }))).toEqual([
    '    ← edit failed: no such file',
  ]);
});

test('the last that an agent says in its step is shown whole, also when it came in pieces', () => {
  const events: EventPayload[] = [
    { kind: 'step.started', node: 'a', n: 1, nodeKind: 'agent' },
    { ...TOOL, phase: 'started', input: 'src/a.js' },
    { kind: 'agent.text', node: 'a', n: 1, text: 'Done:\n- one' },
    { kind: 'agent.text', node: 'a', n: 1, text: '- two' },
    { kind: 'step.ended', node: 'a', n: 1, outcome: 'done', checkpoint: null },
  ];
  const render = eventRenderer(PROGRESS);
  expect(events.flatMap((payload) => render(at(0, payload))).slice(2)).toEqual([
    '    Done:',
    '    - one',
    '    - two',
    '✓ a               done       0.0s',
  ]);
});

test('where the status tells what goes on, a step is shown when it is over, with its last words and red checks below', () => {
  const render = eventRenderer(LIVE);
  const long = 'A last word that is rather too long for a terminal of that width.';
  const events: EventPayload[] = [
    { kind: 'step.started', node: 'a', n: 1, nodeKind: 'agent' },
    { kind: 'agent.text', node: 'a', n: 1, text: 'On my way.' },
    { ...TOOL, phase: 'started', input: 'src/a.js' },
    { ...TOOL, phase: 'ended', ok: false, output: 'no' },
    { kind: 'agent.text', node: 'a', n: 1, text: long },
  ];
  expect(events.flatMap((payload) => render(at(0, payload)))).toEqual([]);
  expect(render(at(1, { kind: 'step.ended', node: 'a', n: 1, outcome: 'done', checkpoint: null }))).toEqual([
    '✓ a               done       1.0s',
    '    A last word that is rather too long for a terminal of',
    '    that width.',
  ]);
  render(at(1, { kind: 'step.started', node: 'ci', n: 1, nodeKind: 'check' }));
  render(at(1, { ...CHECK, check: 'types', verdict: 'pass', items: [] }));
  render(at(1, { ...CHECK, check: 'test', verdict: 'fail', items: [{ message: 'wrong' }] }));
  expect(render(at(2, { kind: 'step.ended', node: 'ci', n: 1, outcome: 'fail', checkpoint: null }))).toEqual([
    '✗ ci              fail       1.0s',
    '    ✓ types: pass · 0.1s',
    '    ✗ test: fail, 1 finding · 0.1s',
    '      wrong',
  ]);
});

test('a program that prints without end is shown with its end, and where the rest is', () => {
  const render = eventRenderer(LIVE);
  render(at(0, { kind: 'step.started', node: 'a', n: 1, nodeKind: 'agent' }));
  const text = Array.from({ length: 100 }, (_, n) => `line ${n}`).join('\n');
  render(at(0, { kind: 'agent.text', node: 'a', n: 1, text }));
  const lines = render(at(0, { kind: 'step.ended', node: 'a', n: 1, outcome: 'done', checkpoint: null }));
  expect(lines[1]).toBe('    … 60 lines before these: switchyard logs fix-it-k7mz --step a');
  expect(lines.slice(2)).toHaveLength(40);
  expect(lines.at(-1)).toBe('    line 99');
});

test('quiet: nothing but where a person is needed', () => {
  const render = eventRenderer({ ...PROGRESS, detail: 'quiet' });
  const events: EventPayload[] = [
    { kind: 'message', level: 'warning', text: 'x' },
    { kind: 'step.started', node: 'a', n: 1, nodeKind: 'agent' },
    { kind: 'agent.text', node: 'a', n: 1, text: 'x' },
    { kind: 'step.ended', node: 'a', n: 1, outcome: 'done', checkpoint: null },
  ];
  expect(events.flatMap((payload) => render(at(0, payload)))).toEqual([]);
  const needs = { kind: 'limit', choices: ['retry'], head: null } as const;
  const parked = { kind: 'run.parked', reason: { code: 'x', message: 'No turns left.' }, node: 'a' } as const;
  expect(render(at(0, { ...parked, needs: { ...needs, choices: ['retry'] } }))[0]).toBe(
    '‖ waits for a person at a: No turns left.',
  );
});

test('one-liners are cut where the terminal ends', () => {
  const render = eventRenderer({ ...PROGRESS, width: 24 });
  const [line = ''] = render(at(0, { ...TOOL, phase: 'started', input: 'a name that is longer than the line' }));
  expect(line).toBe('    → edit a name that…');
  expect(line.length).toBeLessThanOrEqual(24);
});

test('the log has all that was said and answered, with the time of each', () => {
  const render = eventRenderer(FULL);
  const [first = '', second = ''] = render(at(0, { kind: 'agent.text', node: 'a', n: 1, text: 'one\ntwo' }));
  expect(first).toMatch(/^\d\d:\d\d:\d\d {5}one$/);
  expect(second).toBe('             two');
  const output = render(
    at(0, { kind: 'agent.tool', node: 'a', n: 1, call: '1', name: 'run', phase: 'ended', output: 'x\ny', ok: true }),
  );
  expect(output.map((line) => line.slice(9))).toEqual(['    ← run', '    x', '    y']);
});

test('a failed check shows its first findings and how many more there are', () => {
  const items = Array.from({ length: 7 }, (_, n) => ({
    file: 'src/a.js',
    line: n + 1,
    column: 3,
    rule: 'no-var',
    message: 'no var',
    remediation: 'write const',
  }));
  const lines = eventRenderer(PROGRESS)(at(0, { ...CHECK, verdict: 'fail', items }));
  expect(lines[0]).toBe('    ✗ lint: fail, 7 findings · 0.1s');
  expect(lines[1]).toBe('      src/a.js:1:3  no-var  no var  (write const)');
  expect(lines).toHaveLength(7);
  expect(lines.at(-1)).toBe('      and 2 more');
});

test('a passed check is one line', () => {
  expect(eventRenderer(PROGRESS)(at(0, { ...CHECK, verdict: 'pass', items: [] }))).toEqual(['    ✓ lint: pass · 0.1s']);
});

test('the log names the logins that were exposed when a check said something, and where there were none nothing', () => {
  const exposed = [{ agent: 'codex', login: '/home/ada/.codex/auth.json' }];
  const drawn = (view: EventView, extra: object) =>
    eventRenderer(view)(at(0, { ...CHECK, verdict: 'pass', items: [], ...extra })).join('\n');
  expect(drawn(FULL, { exposed })).toContain('exposed: the login of codex (/home/ada/.codex/auth.json)');
  expect(drawn(PROGRESS, { exposed })).not.toContain('exposed');
  expect(drawn(FULL, {})).not.toContain('exposed');
});

test('a run that waits says why, and what can be typed next', () => {
  const lines = eventRenderer(PROGRESS)(
    at(0, {
      kind: 'run.parked',
      reason: { code: 'limit/max', message: 'fix-lint has had its 3 steps.' },
      needs: { kind: 'limit', choices: ['retry', 'abandoned'], head: null, files: ['src/a.js'] },
      node: 'fix-lint',
    }),
  );
  expect(lines[0]).toBe('‖ waits for a person at fix-lint: fix-lint has had its 3 steps.');
  expect(lines[1]).toBe('    src/a.js');
  expect(lines.join('\n')).toContain('switchyard retry fix-it-k7mz');
  expect(lines.join('\n')).not.toContain('switchyard approve fix-it-k7mz \n');
});

test('a run that goes on by itself says when', () => {
  const lines = eventRenderer(PROGRESS)(
    at(0, { kind: 'run.parked', reason: QUOTA.reason, needs: QUOTA.needs, node: 'fix' }),
  );
  expect(lines.slice(0, 2)).toEqual([
    '‖ waits until 2026-11-27 09:22:17 UTC at fix: The quota is used up.',
    '  It goes on by itself then.',
  ]);
  expect(lines[2]).toMatch(/^ {4}switchyard logs -f \S+ +follow it when it goes on$/);
  expect(lines.join('\n')).toContain('try at once, and not only then');
  expect(lines.join('\n')).not.toContain('this bound in full');
});

test('what a limit, a step and a park say is told once, and by the park where nothing was said before', () => {
  const text = 'The agents of this run have used all of the sixty turns that it has.';
  const needs = { kind: 'limit', choices: ['retry'], head: null } as const;
  const events: EventPayload[] = [
    { kind: 'limit', limit: 'turns', used: 60, max: 60, text },
    { kind: 'step.ended', node: 'fix', n: 1, outcome: 'limit', detail: text, checkpoint: null },
    {
      kind: 'run.parked',
      reason: { code: 'limit/turns', message: text },
      needs: { ...needs, choices: ['retry'] },
      node: 'fix',
    },
  ];
  const told = (some: readonly EventPayload[], view: Partial<typeof PROGRESS> = {}) => {
    const render = eventRenderer({ ...PROGRESS, width: 40, ...view });
    return some
      .flatMap((payload) => render(at(0, payload)))
      .join(' ')
      .replace(/\s+/g, ' ');
  };
  expect(told(events).split(text)).toHaveLength(2);
  expect(told(events)).toContain('‖ waits for a person at fix');
  expect(told(events.slice(1)).split(text)).toHaveLength(2);
  expect(told(events.slice(2)).split(text)).toHaveLength(2);
});

test('what an approval asks is shown once, although it is the reason as well', () => {
  const ask = 'Look at the totals.\nAre they right?';
  const lines = eventRenderer(PROGRESS)(
    at(0, {
      kind: 'run.parked',
      reason: { code: 'approval/wanted', message: ask },
      needs: { kind: 'approval', choices: ['approved'], head: null, ask },
      node: 'review',
    }),
  );
  expect(lines.slice(0, 3)).toEqual([
    '‖ waits for a person at review',
    '    Look at the totals.',
    '    Are they right?',
  ]);
});

test('no escape sequence of an agent, a tool or a check reaches the terminal', () => {
  const hostile = '\u001b[2J\u001b]0;owned\u0007\u009b31mtext\u202e';
  const events: EventPayload[] = [
    { kind: 'agent.text', node: hostile, n: 1, text: hostile },
    { kind: 'agent.tool', node: 'a', n: 1, call: '1', phase: 'started', name: hostile, input: hostile },
    { kind: 'agent.tool', node: 'a', n: 1, call: '1', phase: 'ended', name: hostile, output: hostile, ok: false },
    { kind: 'step.started', node: hostile, n: 1, nodeKind: 'agent' },
    { kind: 'step.ended', node: hostile, n: 1, outcome: hostile, checkpoint: null, detail: hostile },
    { kind: 'run.started', blueprint: hostile, base: hostile, title: hostile },
    { kind: 'run.resumed', choice: hostile, note: hostile, head: null },
    { kind: 'run.merged', target: hostile, commit: 'abc', tree: 'abc' },
    { kind: 'message', level: 'warning', text: hostile },
    { kind: 'limit', limit: 'wall', used: 1, max: 1, text: hostile },
    {
      ...CHECK,
      check: hostile,
      verdict: 'fail',
      items: [{ message: hostile, file: hostile, rule: hostile, remediation: hostile }],
    },
    {
      kind: 'run.parked',
      reason: { code: 'x', message: hostile },
      needs: { kind: 'error', choices: [hostile], head: null, ask: hostile, files: [hostile] },
      node: hostile,
    },
    { kind: 'attempt.ended', node: 'a', n: 1, attempt: 1, result: 'failed', detail: hostile },
  ];
  for (const view of [PROGRESS, FULL, LIVE]) {
    const render = eventRenderer(view);
    for (const payload of events) expect(render(at(0, payload)).join('')).not.toMatch(/[\p{Cc}\u202e]/u);
  }
});

test('colours are there when they are wanted, and only then', () => {
  const event = at(0, { kind: 'step.ended', node: 'lint', n: 1, outcome: 'pass', checkpoint: null });
  expect(eventRenderer({ ...PROGRESS, colours: true })(event)[0]).toContain('\u001b[32m✓');
  expect(eventRenderer(PROGRESS)(event)[0]).not.toContain('\u001b');
});

const CHECK = { kind: 'check.ended', node: 'lint', n: 1, check: 'lint', commit: 'abc', durationMs: 120 } as const;

function at(seconds: number, payload: EventPayload): Event {
  return {
    seq: 1,
    at: new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString(),
    run: 'r',
    actor: SYSTEM,
    ...payload,
  };
}
