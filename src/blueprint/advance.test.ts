import { describe, expect, test } from 'vitest';
import type { Blueprint } from '../domain/blueprint.ts';
import { checkInputs } from '../domain/blueprint.ts';
import {
  advance,
  begin,
  currentNode,
  currentTransition,
  type FlowState,
  halt,
  retry,
  type Transition,
} from './advance.ts';
import { commands, loaded } from './fixture.ts';

/** A run by hand: says where it is after each outcome. */
class Run {
  readonly #blueprint: Blueprint;
  state: FlowState;
  transition: Transition;

  constructor(
    text: string,
    options: { steps?: number; inputs?: Record<string, unknown>; blueprints?: Record<string, string> } = {},
  ) {
    this.#blueprint = loaded(text, { blueprints: options.blueprints ?? {} });
    ({ state: this.state, transition: this.transition } = begin(this.#blueprint, options.inputs ?? {}, {
      steps: options.steps ?? 100,
    }));
  }

  get blueprint() {
    return this.#blueprint;
  }

  /** `a#1` for a step, `park a` with the path that a retry enters, `end done`. */
  get at(): string {
    const { transition } = this;
    if (transition.kind === 'step') return `${transition.step.node}#${transition.step.n}`;
    return transition.kind === 'park' ? `park ${transition.node}` : `end ${transition.end}`;
  }

  end(outcome: string, outputs?: Record<string, unknown>, detail?: string): string {
    ({ state: this.state, transition: this.transition } = advance(this.#blueprint, this.state, {
      outcome,
      outputs,
      detail,
    }));
    return this.at;
  }

  retry(): string {
    ({ state: this.state, transition: this.transition } = retry(this.#blueprint, this.state));
    return this.at;
  }
}

const END = 'on: { pass: done, fail: failed }';

describe('edges', () => {
  const text = commands({
    a: 'next: b, on: { fail: failed }',
    b: 'next: done, max: 9, on: { fail: a, error: abandoned }',
  });

  test('a run begins with the first step of its start', () => {
    const run = new Run(text);
    expect(run.at).toBe('a#1');
    expect(run.transition).toMatchObject({
      kind: 'step',
      node: { name: 'a', kind: 'command' },
      blueprint: { name: 'test' },
    });
  });

  test('an outcome leads along its edge, and steps of a node are numbered', () => {
    const run = new Run(text);
    expect([run.end('pass'), run.end('fail'), run.end('pass'), run.end('pass')]).toEqual([
      'b#1',
      'a#2',
      'b#2',
      'end done',
    ]);
    expect(run.transition).toMatchObject({ kind: 'end', as: 'succeeded', outputs: {} });
  });

  test('the edges that were taken are told', () => {
    const run = new Run(text);
    run.end('pass');
    expect(run.transition.edges).toEqual([{ from: 'a', outcome: 'pass', to: 'b' }]);
  });

  test('ends keep how they end', () => {
    const failed = new Run(text);
    failed.end('fail');
    expect(failed.transition).toMatchObject({ kind: 'end', end: 'failed', as: 'failed' });
    const abandoned = new Run(text);
    abandoned.end('pass');
    abandoned.end('error');
    expect(abandoned.transition).toMatchObject({ kind: 'end', as: 'abandoned' });
  });

  test('an outcome that the node does not have counts as error, and says so', () => {
    const run = new Run(commands({ a: END }));
    expect(run.end('constructor', {}, 'exit 7')).toBe('park a');
    expect(run.transition).toMatchObject({
      reason: { kind: 'edge', node: 'a', outcome: 'error', detail: expect.stringMatching(/"constructor".*: exit 7/) },
    });
  });

  test('an edge to park tells who parked, why, and after which step', () => {
    const run = new Run(commands({ a: END }));
    run.end('timeout', {}, 'after 2h');
    expect(run.transition).toEqual({
      kind: 'park',
      reason: { kind: 'edge', node: 'a', outcome: 'timeout', detail: 'after 2h' },
      node: 'a',
      step: { node: 'a', n: 1 },
      edges: [{ from: 'a', outcome: 'timeout', to: 'park' }],
    });
  });

  test('the state that went in is not changed', () => {
    const run = new Run(text);
    const before = structuredClone(run.state);
    advance(run.blueprint, run.state, { outcome: 'pass', outputs: { report: 'r' } });
    expect(run.state).toEqual(before);
  });

  test('what ends after the flow has parked or ended changes nothing', () => {
    const run = new Run(commands({ a: END }));
    run.end('error');
    const parked = run.state;
    expect([run.end('pass'), run.state]).toEqual(['park a', parked]);
    run.retry();
    expect([run.end('pass'), run.end('fail'), run.retry()]).toEqual(['end done', 'end done', 'end done']);
  });
});

describe('bounds', () => {
  const self = commands({ a: 'next: done, max: 2, on: { fail: a }' });

  test('a node past its max parks the run', () => {
    const run = new Run(self);
    expect([run.end('fail'), run.end('fail')]).toEqual(['a#2', 'park a']);
    expect(run.transition).toMatchObject({
      reason: { kind: 'exhausted', node: 'a', outcome: 'fail', bound: { name: 'max', amount: 2 } },
      step: { node: 'a', n: 2 },
    });
  });

  test('a retry gives the max its original amount again', () => {
    const run = new Run(self);
    run.end('fail');
    run.end('fail');
    expect([run.retry(), run.end('fail'), run.end('fail'), run.retry()]).toEqual(['a#3', 'a#4', 'park a', 'a#5']);
  });

  test('a retry enters a node again that parked at the last step of its max', () => {
    const run = new Run(self);
    run.end('fail');
    expect([run.end('error'), run.retry(), run.end('fail'), run.end('fail')]).toEqual([
      'park a',
      'a#3',
      'a#4',
      'park a',
    ]);
  });

  test('per starts the count again each time its node is entered', () => {
    const run = new Run(
      commands({
        outer: 'next: inner, max: 2, on: { fail: failed }',
        inner: 'next: outer, max: 2, per: outer, on: { fail: inner }',
      }).replace('on: { fail: failed }', 'on: { fail: done }'),
    );
    const seen = ['pass', 'fail', 'pass', 'pass', 'fail', 'fail'].map((outcome) => run.end(outcome));
    expect(seen).toEqual(['inner#1', 'inner#2', 'outer#2', 'inner#3', 'inner#4', 'park inner']);
    expect(run.transition).toMatchObject({ reason: { bound: { name: 'max', amount: 2, per: 'outer' } } });
  });

  test('past its max a node is passed over along its edge for exhausted', () => {
    const run = new Run(commands({ a: 'next: done, max: 1, on: { fail: a, exhausted: b }', b: END }));
    expect(run.end('fail')).toBe('b#1');
    expect(run.transition.edges).toEqual([
      { from: 'a', outcome: 'fail', to: 'a' },
      { from: 'a', outcome: 'exhausted', to: 'b' },
    ]);
  });

  test('a node that itself ends in exhausted takes the same edge', () => {
    expect(new Run(commands({ a: 'next: done, max: 3, on: { fail: a, exhausted: b }', b: END })).end('exhausted')).toBe(
      'b#1',
    );
  });

  test('nodes that pass each other over park the run', () => {
    const run = new Run(
      commands({
        a: 'next: b, max: 1, on: { fail: done, exhausted: b }',
        b: 'next: a, max: 1, on: { fail: done, exhausted: a }',
      }),
    );
    expect([run.end('pass'), run.end('pass')]).toEqual(['b#1', 'park a']);
    expect(run.transition).toMatchObject({ reason: { kind: 'exhausted', node: 'a', bound: { amount: 1 } } });
    expect(run.retry()).toBe('a#2');
  });

  test('the steps of a run are bounded, and a retry gives the original amount again', () => {
    const run = new Run(commands({ a: 'next: done, max: 9, on: { fail: a }' }), { steps: 2 });
    expect([run.end('fail'), run.end('fail')]).toEqual(['a#2', 'park a']);
    expect(run.transition).toMatchObject({
      reason: { kind: 'steps', outcome: 'fail', bound: { name: 'steps', amount: 2 } },
    });
    expect([run.retry(), run.end('fail'), run.end('fail')]).toEqual(['a#3', 'a#4', 'park a']);
  });

  test('a run makes at least one step', () => {
    expect(new Run(self, { steps: 0 }).at).toBe('a#1');
  });
});

describe('values', () => {
  test('outputs and inputs are handed on, null for what is not there yet', () => {
    const run = new Run(
      `inputs: { plan: { default: p }, size: , constructor: }
${commands({
  a: 'next: b, with: { later: $b.report, plan: $inputs.plan, size: $inputs.size, odd: $inputs.constructor, lit: [1] }, on: { fail: failed }',
  b: 'next: done, max: 3, with: { report: $a.report }, on: { fail: a }',
})}`,
      { inputs: { size: 3, unknown: 'dropped' } },
    );
    expect(run.transition).toMatchObject({ with: { later: null, plan: 'p', size: 3, odd: null, lit: [1] } });
    run.end('pass', { report: { items: 2 } });
    expect(run.transition).toMatchObject({ with: { report: { items: 2 } } });
    run.end('fail', { report: 'red' });
    expect(run.transition).toMatchObject({ with: { later: 'red' } });
  });

  test('only the latest step of a node counts', () => {
    const run = new Run(commands({ a: 'next: done, max: 3, with: { r: $a.report }, on: { fail: a }' }));
    run.end('fail', { report: 'first' });
    expect(run.transition).toMatchObject({ with: { r: 'first' } });
    run.end('fail');
    expect(run.transition).toMatchObject({ with: { r: null } });
  });

  test('an end hands out its outputs', () => {
    const run = new Run(`start: a
nodes:
  a: { command: x, on: { pass: out, fail: failed } }
  out: { end: abandoned, outputs: { r: $a.report, l: 1 } }`);
    run.end('pass', { report: 'r' });
    expect(run.transition).toMatchObject({ kind: 'end', end: 'out', as: 'abandoned', outputs: { r: 'r', l: 1 } });
  });

  test('what is wrong with inputs is told', () => {
    const { blueprint } = new Run(`inputs: { plan: { required: true }, size: }\n${commands({ a: END })}`);
    expect(checkInputs(blueprint, { constructor: 1 })).toEqual({ missing: ['plan'], unknown: ['constructor'] });
    expect(checkInputs(blueprint, { plan: 'p' })).toEqual({ missing: [], unknown: [] });
  });
});

describe('blueprints inside blueprints', () => {
  const inner = `
inputs: { plan: }
start: x
nodes:
  x: { command: x, with: { plan: $inputs.plan }, max: 2, on: { pass: shipped, fail: x } }
  shipped: { end: succeeded, outputs: { report: $x.report } }`;
  const outer = `
start: a
nodes:
  a: { command: a, next: sub, on: { fail: failed } }
  sub: { blueprint: inner, max: 2, with: { plan: $a.report }, next: z }
  z: { command: z, with: { report: $sub.report, end: $sub.end }, on: { pass: done, fail: sub } }`;
  const start = () => new Run(outer, { blueprints: { inner } });

  test('entering the node executes the start of the inner one, with its inputs', () => {
    const run = start();
    expect(run.end('pass', { report: 'the plan' })).toBe('sub/x#1');
    expect(run.transition).toMatchObject({
      node: { name: 'x' },
      blueprint: { name: 'inner' },
      with: { plan: 'the plan' },
    });
    expect(currentNode(run.blueprint, run.state)).toMatchObject({ path: 'sub/x', node: { name: 'x' }, step: { n: 1 } });
  });

  test('its end is the outcome of the node, and its outputs are the outputs', () => {
    const run = start();
    run.end('pass');
    expect(run.end('pass', { report: 'r' })).toBe('z#1');
    expect(run.transition).toMatchObject({ with: { report: 'r', end: 'shipped' } });
    expect(run.transition.edges).toEqual([
      { from: 'sub/x', outcome: 'pass', to: 'shipped' },
      { from: 'sub', outcome: 'shipped', to: 'z' },
    ]);
  });

  test('its counts start again each time, the numbers of its steps do not', () => {
    const run = start();
    const seen = ['pass', 'fail', 'pass', 'fail', 'fail', 'fail'].map((outcome) => run.end(outcome));
    expect(seen).toEqual(['sub/x#1', 'sub/x#2', 'z#1', 'sub/x#3', 'sub/x#4', 'park sub/x']);
    expect(run.retry()).toBe('sub/x#5');
  });

  test('max bounds how often the node is entered', () => {
    const run = start();
    const seen = ['pass', 'pass', 'fail', 'pass', 'fail'].map((outcome) => run.end(outcome));
    expect(seen).toEqual(['sub/x#1', 'z#1', 'sub/x#2', 'z#2', 'park sub']);
    expect(run.retry()).toBe('sub/x#3');
  });

  test('a park at its end enters it anew', () => {
    const run = new Run('start: sub\nnodes: { sub: { blueprint: inner, on: { done: done, failed: park } } }', {
      blueprints: { inner: commands({ x: 'next: y, on: { fail: failed }', y: END }) },
    });
    expect([run.end('pass'), run.end('fail')]).toEqual(['sub/y#1', 'park sub']);
    expect(run.transition).toMatchObject({ reason: { kind: 'edge', node: 'sub', outcome: 'failed' } });
    expect(run.retry()).toBe('sub/x#2');
  });

  test('only steps that execute something count as steps', () => {
    const run = new Run(outer, { blueprints: { inner }, steps: 2 });
    expect([run.end('pass'), run.end('pass')]).toEqual(['sub/x#1', 'park z']);
  });
});

describe('state', () => {
  test('the current transition can be told from the state alone', () => {
    const run = new Run(commands({ a: 'next: b, on: { fail: failed }', b: `with: { r: $a.report }, ${END}` }));
    run.end('pass', { report: 'r' });
    for (const outcome of ['error', undefined, 'pass'] as const) {
      if (outcome !== undefined) run.end(outcome);
      else run.retry();
      expect(currentTransition(run.blueprint, run.state)).toEqual({ ...run.transition, edges: [] });
    }
    expect(currentNode(run.blueprint, run.state)).toBeUndefined();
  });

  test('a state of another blueprint is refused', () => {
    const run = new Run(commands({ a: END }));
    expect(() => advance(loaded(commands({ b: END })), run.state, { outcome: 'pass' })).toThrow(
      'the stored state of a run names a node "a" that blueprint "test" does not have',
    );
  });

  test('a run that is halted parks at its step, and a retry enters that node again', () => {
    const run = new Run(commands({ a: END }));
    const halted = halt(run.state, { outcome: 'limit', detail: 'wall' });
    expect(currentTransition(run.blueprint, halted)).toMatchObject({
      kind: 'park',
      node: 'a',
      reason: { kind: 'edge', node: 'a', outcome: 'limit', detail: 'wall' },
      step: { node: 'a', n: 1 },
    });
    expect(retry(run.blueprint, halted).transition).toMatchObject({ kind: 'step', step: { node: 'a', n: 2 } });
  });

  test('a run that has parked or ended is not halted', () => {
    const run = new Run(commands({ a: END }));
    run.end('pass');
    expect(halt(run.state, { outcome: 'limit', detail: 'wall' })).toBe(run.state);
  });
});
