import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Blueprint } from '../domain/blueprint.ts';
import { commands, load, loaded, problems } from './fixture.ts';

const MINIMAL = commands({ build: 'on: { pass: done, fail: failed }' });

test('a small blueprint is resolved with every outcome', () => {
  expect(loaded(MINIMAL)).toEqual({
    name: 'test',
    inputs: {},
    limits: {},
    workspace: {},
    requires: [],
    start: 'build',
    nodes: {
      build: {
        name: 'build',
        kind: 'command',
        fields: { command: 'true' },
        on: { pass: 'done', fail: 'failed', error: 'park', timeout: 'park', stalled: 'park', exhausted: 'park' },
        with: {},
        outcomes: ['pass', 'fail'],
      },
    },
    ends: {
      done: { as: 'succeeded', outputs: {} },
      failed: { as: 'failed', outputs: {} },
      abandoned: { as: 'abandoned', outputs: {} },
    },
    prompts: {},
    blueprints: {},
  });
});

test('everything that a blueprint can say arrives', () => {
  const blueprint = loaded(
    `
name: whole
summary: Says everything.
inputs: { plan: { default: none, description: What to do }, size: { required: true }, note: }
limits: { wall: 2h, steps: 40 }
workspace: { network: [model], setup: npm ci, carry: [.cache] }
requires: [check]
start: work
on: { error: failed }
nodes:
  work: { agent: default, prompt: implement.md, session: resume work, max: 3, per: look, next: look,
          with: { plan: $inputs.plan, report: $look.report, money: $$5, list: [1, two] }, on: { unchanged: park }, limits: { wall: 10m } }
  look: { check: [lint, test], fix: true, budget: 5s, max: 4, on: { pass: shipped, fixed: look, fail: work, missing: shipped } }
  shipped: { end: succeeded, outputs: { report: $look.report } }
`,
    { prompts: { 'implement.md': 'Do it.' } },
  );
  expect(blueprint).toMatchObject({
    name: 'whole',
    summary: 'Says everything.',
    inputs: { plan: { default: 'none', description: 'What to do' }, size: { required: true }, note: {} },
    limits: { wall: 7_200_000, steps: 40 },
    workspace: { network: ['model'], setup: 'npm ci', carry: ['.cache'] },
    requires: ['check'],
    prompts: { 'implement.md': 'Do it.' },
    ends: { shipped: { as: 'succeeded', outputs: { report: { kind: 'output', node: 'look', output: 'report' } } } },
  });
  expect(blueprint.nodes['work']).toEqual({
    name: 'work',
    kind: 'agent',
    fields: { agent: 'default', prompt: 'implement.md', session: 'resume work' },
    max: 3,
    per: 'look',
    on: { done: 'look', unchanged: 'park', error: 'failed', timeout: 'park', stalled: 'park', exhausted: 'park' },
    with: {
      plan: { kind: 'input', input: 'plan' },
      report: { kind: 'output', node: 'look', output: 'report' },
      money: { kind: 'literal', value: '$5' },
      list: { kind: 'literal', value: [1, 'two'] },
    },
    outcomes: ['done', 'unchanged'],
    limits: { wall: 600_000 },
  });
  expect(blueprint.nodes['look']?.fields).toEqual({ check: ['lint', 'test'], fix: true, budget: 5000 });
});

test('a loaded blueprint is plain JSON that its own schema reads back', () => {
  const inner = commands({ a: 'on: { pass: done, fail: failed }' });
  const blueprint = loaded('start: a\nnodes: { a: { blueprint: inner, with: {}, on: { done: done, failed: park } } }', {
    blueprints: { inner },
  });
  expect(Blueprint.parse(JSON.parse(JSON.stringify(blueprint)))).toEqual(blueprint);
});

test('the name of the file is the name of a blueprint that has none', () => {
  expect(loaded(MINIMAL).name).toBe('test');
  expect(loaded(`name: other\n${MINIMAL}`).name).toBe('other');
});

test('choices replace the outcomes of an approval', () => {
  const blueprint = loaded(
    'start: ask\nnodes: { ask: { approval: requester, choices: [retry, stop], on: { retry: park, stop: abandoned } } }',
  );
  expect(blueprint.nodes['ask']?.outcomes).toEqual(['retry', 'stop']);
});

test('universal outcomes of a kind park by default, as those of all kinds do', () => {
  const deliver = loaded('start: out\nnodes: { out: { deliver: merge, next: done } }').nodes['out'];
  expect(deliver?.on).toMatchObject({ merged: 'done', conflict: 'park', rejected: 'park', closed: 'park' });
});

test("a node's own edge comes before the blueprint's, and that before park", () => {
  const blueprint = loaded(
    `start: a
on: { error: failed, timeout: failed, fail: b }
nodes:
  a: { command: x, next: b, on: { error: abandoned } }
  b: { command: y, next: done, on: { fail: failed } }`,
  );
  expect(blueprint.nodes['a']?.on).toMatchObject({ error: 'abandoned', timeout: 'failed', stalled: 'park', fail: 'b' });
});

test('a node that enters a blueprint has its reachable ends as outcomes and their outputs', () => {
  const inner = `
start: a
nodes:
  a: { command: x, on: { pass: shipped, fail: failed } }
  shipped: { end: succeeded, outputs: { report: $a.report } }`;
  const blueprint = loaded(
    `
start: outer
nodes:
  outer: { blueprint: inner, next: after, on: { failed: park } }
  after: { command: y, with: { a: $outer.report, b: $outer.end }, on: { pass: done, fail: failed } }`,
    { blueprints: { inner } },
  );
  expect(blueprint.nodes['outer']?.outcomes).toEqual(['shipped', 'failed']);
  expect(blueprint.nodes['outer']?.on).toMatchObject({ shipped: 'after', failed: 'park', exhausted: 'park' });
  expect(blueprint.blueprints['inner']?.name).toBe('inner');
});

test('every problem of a file is told at once, in the order of its lines', () => {
  const text = `
sumary: misspelt
limits: { wall: 2 hours, stepz: 3 }
start: implemnt
nodes:
  implement: { agent: gpt, prompt: none.md, next: chek, on: { unchanged: park, pased: done } }
  check: { check: all, fixx: true, on: { pass: done, fail: fix } }
  fix: { agent: same, max: many, next: done, on: { unchanged: park } }
  odd: { chekc: all }
`;
  expect(problems(text, { agents: ['codex'], checks: [] })).toEqual([
    '2: unknown field "sumary"',
    '3: write a duration as 90s, 15m or 2h',
    '3: unknown field "stepz"',
    '4: there is no node "implemnt" to start with',
    '6: there is no agent "gpt"',
    '6: there is no prompt file "none.md"',
    '6: there is no node "chek"',
    '6: node "implement" has no outcome "pased"',
    '7: the outcomes "fixed" and "missing" of node "check" lead nowhere',
    '7: unknown field "fixx"',
    '8: expected a number, found text',
    '9: node "odd" has no known kind',
  ]);
});

test('a problem carries a hint where one is known', () => {
  const result = load(MINIMAL.replace('pass: done', 'pas: done'));
  expect(result).toMatchObject({
    ok: false,
    problems: [
      { file: 'test.yaml', line: 3, message: expect.stringContaining('"pass" of node "build" leads nowhere') },
      { file: 'test.yaml', line: 3, column: 35, hint: expect.stringContaining('did you mean "pass"?') },
    ],
  });
});

test.each([
  ['', '1: a blueprint is a mapping with start and nodes'],
  ['- a', '1: a blueprint is a mapping with start and nodes'],
  ['nodes: { a: { deliver: branch, next: done } }', '1: "start" is missing: text'],
  ['start: a', '1: "nodes" is missing: a mapping'],
  ['start: a\nnodes: [a]', '2: expected a mapping, found a list'],
  ['start: a\nnodes: { a: go }', '2: node "a" is not a mapping'],
  [
    'start: a\nnodes: { a: { deliver: tag, next: done } }',
    '2: expected one of branch, pull-request, merge, merge-queue',
  ],
  ['start: a\nnodes: { a: { check: 3, next: done } }', '2: expected text or a list, found 3'],
  ['start: a\nnodes: { a: { check: [3], next: done } }', '2: expected text, found 3'],
  ['start: a\nnodes: { a: { end: finished } }', '2: expected one of succeeded, failed, abandoned'],
  ['start: a\nnodes: { a: { deliver: branch, max: 0, next: done } }', '2: must be more than 0'],
  ['start: a\nnodes: { a: { deliver: branch, next: [done] } }', '2: expected text, found a list'],
  ['start: a\nnodes: { a: { deliver: branch, next: done, limits: { steps: 3 } } }', '2: unknown field "steps"'],
  ['start: a\nnodes: { a: { deliver: branch, next: done, with: { 1: x } } }', '2: a name starts with a letter'],
  ['start: a\nname: Not A Name\nnodes: { a: { deliver: branch, next: done } }', '2: a name starts with a small letter'],
])('%j is refused with its reason', (text, problem) => {
  expect(problems(text).filter((found) => found.startsWith(problem))).toHaveLength(1);
});

test('what is fine but does nothing is said', () => {
  const text =
    'start: a\nnodes: { a: { check: [lint, unit], on: { pass: done, fixed: done, fail: failed, missing: done } } }';
  expect(load(text, { checks: [{ name: 'unit', kind: 'test' }] })).toMatchObject({
    ok: true,
    notes: ['node "a" names "lint", but no such check is declared here: nothing runs for it'],
  });
  expect(load(text.replace('[lint, unit]', 'all'), { checks: [] })).toMatchObject({
    notes: [expect.stringContaining('"all"')],
  });
  expect(load(text)).toMatchObject({ ok: true, notes: [] });
});

test('a bound of steps inside another blueprint is said not to be in force', () => {
  const inner = `limits: { steps: 5 }\n${MINIMAL}`;
  const outer = 'start: a\nnodes: { a: { blueprint: inner, next: done, on: { failed: failed } } }';
  expect(load(outer, { blueprints: { inner } })).toMatchObject({ notes: [expect.stringContaining('limits.steps')] });
});

test('whatever a file says, it is loaded or its problems are told', () => {
  const words = [
    'start',
    'nodes',
    'on',
    'max',
    'per',
    'with',
    'next',
    'check',
    'agent',
    'end',
    'blueprint',
    'inputs',
    'limits',
  ];
  const names = [
    'a',
    'b',
    'done',
    'park',
    'constructor',
    '__proto__',
    'toString',
    'inputs',
    'pass',
    'error',
    '$a.report',
    '$$',
  ];
  const word = fc.constantFrom(...words, ...names);
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { depthSize: 'medium' },
      word,
      fc.constantFrom(null, 0, 2, true, '5s', '5 USD', 'resume a'),
      fc.array(tie('any'), { maxLength: 3 }),
      fc.dictionary(word, tie('any'), { maxKeys: 5 }),
    ),
  })).any;
  const node = fc.dictionary(word, value, { maxKeys: 5 });
  const file = fc.record(
    { start: word, nodes: fc.dictionary(word, node, { maxKeys: 4 }), on: value, inputs: value, limits: value },
    { requiredKeys: ['start', 'nodes'] },
  );
  fc.assert(
    fc.property(fc.oneof(file, value), (written) => {
      const text = JSON.stringify(written);
      const result = load(text, { agents: [], checks: [], blueprints: { a: text, b: MINIMAL } });
      expect(result.ok || result.problems.length > 0).toBe(true);
      expect(result.ok || result.problems.every(({ line, message }) => line >= 1 && message !== '')).toBe(true);
      expect(({} as Record<string, unknown>)['start']).toBeUndefined();
    }),
    { numRuns: 1000 },
  );
});
