import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Blueprint } from '../domain/blueprint.ts';
import { type Advanced, advance, begin, FlowState, halt, reenter, retry } from './advance.ts';
import { reachableEnds } from './ends.ts';
import { load } from './fixture.ts';
import { type PastStep, replay } from './replay.ts';

/**
 * Random graphs, of which the loader accepts some, and random outcomes. Targets and outcomes are drawn as numbers and taken
 * modulo what there is, so that every drawing means something and shrinks well.
 */
interface DrawnNode {
  readonly targets: readonly number[];
  readonly max: number;
  readonly per: number;
  readonly enters: boolean;
}

const Drawn = fc.array(
  fc.record({
    targets: fc.array(fc.nat(50), { minLength: 6, maxLength: 6 }),
    /** 0 is none. */
    max: fc.nat(3),
    /** Up to 9 is no `per`, as it is with most nodes that people write. */
    per: fc.nat(20),
    enters: fc.boolean(),
  }),
  { minLength: 1, maxLength: 6 },
);
const Choices = fc.array(fc.nat(30), { minLength: 1, maxLength: 60 });

/** Commands, and in place of some of them a node that enters `inner`, if that was accepted. Nodes that nothing reaches are left out. */
function textOf(drawn: readonly DrawnNode[], inner?: Blueprint): string {
  const names = drawn.map((_, index) => `n${index}`);
  const all = [...names, ...names, 'done', 'failed', 'park'];
  const nodes = new Map<string, { on: Record<string, string>; [field: string]: unknown }>();
  const open = ['n0'];
  for (const name of open) {
    const node = drawn[names.indexOf(name)];
    if (node === undefined || nodes.has(name)) continue;
    const enters = node.enters && inner !== undefined;
    const outcomes = [...(enters ? reachableEnds(inner) : ['pass', 'fail']), 'error', 'exhausted'];
    const on = Object.fromEntries(outcomes.map((outcome, index) => [outcome, pick(all, node.targets[index] ?? 0)]));
    const bounds = node.max === 0 ? {} : { max: node.max, ...(node.per < 10 ? {} : { per: pick(names, node.per) }) };
    nodes.set(name, { ...(enters ? { blueprint: 'inner' } : { command: 'x' }), ...bounds, on });
    open.push(...Object.values(on));
  }
  return JSON.stringify({ start: 'n0', nodes: Object.fromEntries(nodes) });
}

function pick<Item>(items: readonly Item[], number: number): Item {
  const item = items[number % items.length];
  if (item === undefined) throw new Error('nothing to pick from');
  return item;
}

const Accepted = fc
  .tuple(Drawn, Drawn)
  .map(([drawn, drawnInner]) => {
    const innerText = textOf(drawnInner);
    const inner = load(innerText);
    const result = load(textOf(drawn, inner.ok ? inner.blueprint : undefined), { blueprints: { inner: innerText } });
    return result.ok ? result.blueprint : undefined;
  })
  .filter((blueprint) => blueprint !== undefined);

/** Ends the step that `from` is at in one of the outcomes that its node has. */
function goOn(blueprint: Blueprint, from: Advanced, choice: number): Advanced {
  if (from.transition.kind !== 'step') throw new Error('there is no step to end');
  const outcome = pick(Object.keys(from.transition.node.on), choice);
  return advance(blueprint, from.state, { outcome, outputs: { report: choice } });
}

test('an accepted blueprint cannot go on for ever, whatever its steps end in', () => {
  fc.assert(
    fc.property(Accepted, (blueprint) => {
      expect(canGoOnForEver(blueprint)).toBe(false);
    }),
    { numRuns: 400 },
  );
});

/** Follows every outcome of every step: a run that can come back to where it was, with all counts as they were, has no bound. */
function canGoOnForEver(blueprint: Blueprint): boolean {
  const passed = new Set<string>();
  const open = new Set<string>();
  const visit = (now: Advanced): boolean => {
    if (now.transition.kind !== 'step') return false;
    const where = whereabouts(blueprint, now.state);
    if (open.has(where)) return true;
    if (passed.has(where)) return false;
    open.add(where);
    passed.add(where);
    const outcomes = Object.keys(now.transition.node.on);
    const found = outcomes.some((outcome) => visit(advance(blueprint, now.state, { outcome })));
    open.delete(where);
    return found;
  };
  return visit(begin(blueprint, {}, { steps: 1_000_000 }));
}

/** What decides how a run goes on: its nodes and the counts that bound something. */
function whereabouts(blueprint: Blueprint, state: FlowState): string {
  return JSON.stringify(
    state.frames.map(({ node, visits }, depth) => {
      const nodes = depth === 0 ? blueprint.nodes : (blueprint.blueprints['inner']?.nodes ?? {});
      return [node, Object.values(nodes).map(({ name, max }) => (max === undefined ? 0 : (visits[name] ?? 0)))];
    }),
  );
}

test('a run makes no more steps than its limit, and a retry gives it as many again', () => {
  fc.assert(
    fc.property(Accepted, Choices, fc.integer({ min: 1, max: 8 }), (blueprint, choices, limit) => {
      let now = begin(blueprint, {}, { steps: limit });
      let allowed = limit;
      let steps = 1;
      for (const choice of choices) {
        if (now.transition.kind === 'end') break;
        if (now.transition.kind === 'park') {
          if (steps >= allowed) allowed = steps + limit;
          now = retry(blueprint, now.state);
          steps += 1;
        } else {
          now = goOn(blueprint, now, choice);
          if (now.transition.kind === 'step') steps += 1;
        }
        expect(steps).toBe(now.state.steps.used);
        expect(steps).toBeLessThanOrEqual(allowed);
      }
    }),
    { numRuns: 400 },
  );
});

test('a node makes no more steps than its max since its per, however the run goes', () => {
  fc.assert(
    fc.property(Accepted, Choices, (blueprint, choices) => {
      const count = new Map<string, number>();
      let now = begin(blueprint, {}, { steps: 1000 });
      for (const choice of choices) {
        if (now.transition.kind !== 'step') break;
        // Only the outermost nodes can be told apart by their path alone; entering a blueprint is counted at its first step.
        const name = now.transition.step.node;
        const node = blueprint.nodes[name];
        if (node !== undefined) {
          count.set(name, (count.get(name) ?? 0) + 1);
        }
        expect(count.get(name) ?? 0).toBeLessThanOrEqual(node?.max ?? Number.POSITIVE_INFINITY);
        now = goOn(blueprint, now, choice);
        const entered = [
          ...(node ? [name] : []),
          ...now.transition.edges.filter(({ from }) => !from.includes('/')).map(({ to }) => to),
        ];
        for (const other of Object.values(blueprint.nodes))
          if (entered.includes(other.per ?? '')) count.set(other.name, 0);
      }
    }),
    { numRuns: 400 },
  );
});

test('a retry after a park makes a step, at the node that was parked or inside of it', () => {
  fc.assert(
    fc.property(Accepted, Choices, fc.integer({ min: 1, max: 8 }), (blueprint, choices, limit) => {
      let now = begin(blueprint, {}, { steps: limit });
      for (const choice of choices) {
        if (now.transition.kind === 'end') break;
        if (now.transition.kind === 'step') {
          now = goOn(blueprint, now, choice);
          continue;
        }
        const parked = now.transition;
        now = retry(blueprint, now.state);
        const step = now.transition.kind === 'step' ? now.transition.step : undefined;
        expect(step?.node === parked.node || step?.node.startsWith(`${parked.node}/`)).toBe(true);
      }
    }),
    { numRuns: 400 },
  );
});

/** A walk in which a person interferes now and then: has a node entered again, or stops the run at a bound or altogether. */
function walk(
  blueprint: Blueprint,
  choices: readonly number[],
  limit: number,
): { state: FlowState; past: PastStep[] }[] {
  let now = begin(blueprint, {}, { steps: limit });
  const past: PastStep[] = [];
  let newRound = false;
  const states: { state: FlowState; past: PastStep[] }[] = [];
  for (const choice of choices) {
    const entered = [...new Set(past.map(({ node }) => node))];
    if (now.transition.kind === 'step') {
      const { node, n } = now.transition.step;
      const outputs = { report: choice };
      if (choice % 7 === 0) {
        past.push({ node, n, outcome: 'limit', outputs: {}, detail: 'too much', newRound, ending: 'halted' });
        const state = halt(now.state, { outcome: 'limit', detail: 'too much' });
        states.push({ state, past: [...past] });
        now = retry(blueprint, state);
      } else if (choice % 11 === 0) {
        past.push({ node, n, outcome: 'cancelled', outputs: {}, newRound, ending: 'left' });
        states.push({ state: now.state, past: [...past] });
        newRound = choice % 2 === 0;
        now = reenter(blueprint, now.state, pick([...entered, node], choice), { newRound });
        continue;
      } else {
        const outcome = pick(Object.keys(now.transition.node.on), choice);
        past.push({ node, n, outcome, outputs, newRound, ending: 'advanced' });
        now = advance(blueprint, now.state, { outcome, outputs });
        states.push({ state: now.state, past: [...past] });
      }
      newRound = false;
    } else if (now.transition.kind === 'park' && choice % 2 === 0 && past.length > 0) now = retry(blueprint, now.state);
    else if (entered.length === 0) break;
    else {
      newRound = choice % 3 === 0;
      now = reenter(blueprint, now.state, pick(entered, choice), { newRound });
    }
  }
  return states;
}

test('a node that is entered again makes a step, wherever the run is', () => {
  fc.assert(
    fc.property(Accepted, Choices, fc.integer({ min: 1, max: 8 }), fc.nat(), (blueprint, choices, limit, where) => {
      for (const { state, past } of walk(blueprint, choices, limit)) {
        const { node } = pick(past, where);
        const again = reenter(blueprint, state, node);
        expect(again.transition.kind === 'step' && again.transition.step.node).toBe(node);
        expect(FlowState.parse(again.state)).toEqual(again.state);
        expect(again.state.steps.used).toBeLessThanOrEqual(again.state.steps.allowed);
      }
    }),
    { numRuns: 200 },
  );
});

test('the state after any step of a run follows from its steps alone', () => {
  fc.assert(
    fc.property(Accepted, Choices, fc.integer({ min: 1, max: 8 }), (blueprint, choices, limit) => {
      for (const { state, past } of walk(blueprint, choices, limit))
        expect(replay(blueprint, { inputs: {}, steps: limit }, past)).toEqual(state);
    }),
    { numRuns: 400 },
  );
});

test('steps have numbers of their own', () => {
  fc.assert(
    fc.property(Accepted, Choices, (blueprint, choices) => {
      const seen: string[] = [];
      let now = begin(blueprint, {}, { steps: 20 });
      for (const choice of choices) {
        if (now.transition.kind === 'end') break;
        if (now.transition.kind === 'step') {
          const { node, n } = now.transition.step;
          seen.push(`${node}#${n}`);
          now = goOn(blueprint, now, choice);
        } else {
          now = retry(blueprint, now.state);
        }
      }
      expect(new Set(seen).size).toBe(seen.length);
    }),
  );
});

test('a run can be put down and taken up at any step', () => {
  const stored = (state: FlowState) => FlowState.parse(JSON.parse(JSON.stringify(state)));
  fc.assert(
    fc.property(Accepted, Choices, (blueprint, choices) => {
      const readBack = Blueprint.parse(JSON.parse(JSON.stringify(blueprint)));
      let now = begin(blueprint, {}, { steps: 10 });
      for (const choice of choices) {
        expect(stored(now.state)).toEqual(now.state);
        if (now.transition.kind === 'end') break;
        const taken = { state: stored(now.state), transition: now.transition };
        const parked = now.transition.kind === 'park';
        const resumed = parked ? retry(readBack, taken.state) : goOn(readBack, taken, choice);
        now = parked ? retry(blueprint, now.state) : goOn(blueprint, now, choice);
        expect(resumed).toEqual(now);
      }
    }),
  );
});

test('any outcome at all is taken', () => {
  fc.assert(
    fc.property(
      Accepted,
      fc.array(fc.oneof(fc.string(), fc.constantFrom('__proto__', 'toString', 'pass'))),
      (blueprint, outcomes) => {
        let { state } = begin(blueprint, {}, { steps: 50 });
        for (const outcome of outcomes) state = advance(blueprint, state, { outcome }).state;
        expect(FlowState.safeParse(state).success).toBe(true);
      },
    ),
  );
});
