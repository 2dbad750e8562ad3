import { type Blueprint, type BlueprintNode, PARK } from '../domain/blueprint.ts';
import { BLUEPRINT_KIND } from '../domain/node-kind.ts';
import { END_OUTPUT } from './ends.ts';
import type { FlowState, ParkReason, StepRef, TakenEdge, Transition } from './flow.ts';
import {
  countVisit,
  giveAllVisits,
  innerBlueprint,
  innermost,
  isSpent,
  newFrame,
  nodeNamed,
  own,
  pathOf,
  resolveValues,
  standAt,
} from './frames.ts';

export { FlowState, StepRef, type Transition } from './flow.ts';

/**
 * What runs next. Pure: the same blueprint, state and outcome give the same transition, and the state that went in is not
 * changed. For a blueprint that the loader accepted nothing here throws, every call takes a bounded number of edges, and a run
 * ends or parks after at most `limits.steps` steps.
 */
export interface Advanced {
  readonly state: FlowState;
  readonly transition: Transition;
}

/** How a step ended. Outputs are plain JSON. */
export interface Ended {
  readonly outcome: string;
  readonly outputs?: Readonly<Record<string, unknown>> | undefined;
  /** In words, for the person whom a `park` asks. */
  readonly detail?: string | undefined;
}

/** A run's first step. It is always one, whatever the limit. */
export function begin(
  blueprint: Blueprint,
  inputs: Readonly<Record<string, unknown>>,
  limits: { readonly steps: number },
): Advanced {
  const limit = Math.max(1, Math.floor(limits.steps));
  const state: FlowState = {
    version: 1,
    at: { kind: 'step', step: { node: blueprint.start, n: 1 } },
    frames: [newFrame(blueprint, inputs)],
    counts: {},
    steps: { limit, used: 0, allowed: limit },
  };
  return new Move(blueprint, state, 'start').enter(blueprint.start);
}

/**
 * Goes on from the current step. An outcome that its node does not have counts as `error`; outputs replace those of the node's
 * step before. A flow that is parked or ended stays as it is: whatever ended there ended too late.
 */
export function advance(blueprint: Blueprint, state: FlowState, ended: Ended): Advanced {
  if (state.at.kind !== 'step') return { state, transition: currentTransition(blueprint, state) };
  const next = structuredClone(state);
  const { frame, blueprint: inner } = innermost(blueprint, next);
  const node = nodeNamed(inner, frame.node);
  frame.outputs[node.name] = { ...ended.outputs };
  const move = new Move(blueprint, next, ended.outcome, state.at.step);
  if (Object.hasOwn(node.on, ended.outcome)) return move.leave(node, ended.outcome, ended.detail);
  const said = ended.detail === undefined ? '' : `: ${ended.detail}`;
  return move.leave(
    node,
    'error',
    `the step ended in "${ended.outcome}", an outcome that its node does not have${said}`,
  );
}

/**
 * Enters the node of a parked run again, which always makes a step: whichever bound stands against it, the node's `max` or the
 * run's steps, gets its original amount again.
 */
export function retry(blueprint: Blueprint, state: FlowState): Advanced {
  if (state.at.kind !== 'parked') return { state, transition: currentTransition(blueprint, state) };
  return reenter(blueprint, state, pathOf(state));
}

/**
 * Enters a node again because a person wants it, wherever the run is, parked, ended or in a step that nobody works on; makes a step and
 * gives bounds again as `retry` does. The path is that of a step that the run has had, or of a node that holds it. A blueprint that the
 * run has left is entered anew, with the values that it would be given now. `newRound`: there is new work, so all nodes that have used up
 * their `max` get it again, and not the one alone.
 */
export function reenter(blueprint: Blueprint, state: FlowState, path: string, { newRound = false } = {}): Advanced {
  const next = structuredClone(state);
  const node = standAt(blueprint, next, path);
  if (newRound) giveAllVisits(blueprint, next);
  if (next.steps.used >= next.steps.allowed) next.steps.allowed = next.steps.used + next.steps.limit;
  return new Move(blueprint, next, 'retry').enter(node.name);
}

/**
 * Parks a run at the step that it is in, whatever the edges say: a bound of the run itself was reached. `retry` enters the same node
 * again. A flow that is parked or ended stays as it is.
 */
export function halt(state: FlowState, why: { readonly outcome: string; readonly detail: string }): FlowState {
  if (state.at.kind !== 'step') return state;
  const { step } = state.at;
  return { ...state, at: { kind: 'parked', reason: { kind: 'edge', node: step.node, ...why }, step } };
}

/** The node that a run is executing or parked at; undefined once it has ended. */
export function currentNode(
  blueprint: Blueprint,
  state: FlowState,
): { path: string; node: BlueprintNode; blueprint: Blueprint; step?: StepRef } | undefined {
  if (state.at.kind === 'ended') return undefined;
  const { frame, blueprint: inner } = innermost(blueprint, state);
  const here = { path: pathOf(state), node: nodeNamed(inner, frame.node), blueprint: inner };
  return state.at.kind === 'step' ? { ...here, step: state.at.step } : here;
}

/** The transition that led to this state, without its edges: what a run that is taken up again has to do. */
export function currentTransition(blueprint: Blueprint, state: FlowState): Transition {
  const { at } = state;
  if (at.kind === 'ended') return { ...at, kind: 'end', edges: [] };
  if (at.kind === 'parked') {
    const park = { kind: 'park', reason: at.reason, node: pathOf(state), edges: [] } as const;
    return at.step === undefined ? park : { ...park, step: at.step };
  }
  const { frame, blueprint: inner } = innermost(blueprint, state);
  const node = nodeNamed(inner, frame.node);
  return { kind: 'step', step: at.step, node, blueprint: inner, with: resolveValues(frame, node.with), edges: [] };
}

/**
 * One way from a step to what comes next. It follows edges, into blueprints and out of their ends, until it comes to a step, a
 * park or the run's end. Each node is passed over as exhausted once at most, so that the way is finite. Writes to its state.
 */
class Move {
  readonly #root: Blueprint;
  readonly #state: FlowState;
  readonly #step: StepRef | undefined;
  readonly #edges: TakenEdge[] = [];
  readonly #passedOver = new Set<string>();
  /** The outcome that led to where the move is now. */
  #outcome: string;

  constructor(root: Blueprint, state: FlowState, outcome: string, step?: StepRef) {
    this.#root = root;
    this.#state = state;
    this.#outcome = outcome;
    this.#step = step;
  }

  /** Takes the edge of an outcome of the node that the innermost frame is at. */
  leave(node: BlueprintNode, outcome: string, detail?: string): Advanced {
    const { blueprint } = innermost(this.#root, this.#state);
    const from = pathOf(this.#state);
    const to = own(node.on, outcome) ?? PARK;
    this.#outcome = outcome;
    this.#edges.push({ from, outcome, to });
    if (to === PARK) {
      return this.#park({ kind: 'edge', node: from, outcome, ...(detail === undefined ? {} : { detail }) });
    }
    return Object.hasOwn(blueprint.nodes, to) ? this.enter(to) : this.#end(to);
  }

  enter(name: string): Advanced {
    const { frame, blueprint } = innermost(this.#root, this.#state);
    const node = nodeNamed(blueprint, name);
    const visits = own(frame.visits, name) ?? 0;
    frame.node = name;
    if (isSpent(node, visits)) return this.#passOver(node);
    const { steps } = this.#state;
    if (node.kind !== BLUEPRINT_KIND && steps.used >= steps.allowed) {
      const bound = { name: 'steps', amount: steps.allowed } as const;
      return this.#park({ kind: 'steps', node: pathOf(this.#state), outcome: this.#outcome, bound });
    }
    countVisit(blueprint, frame, name);
    return node.kind === BLUEPRINT_KIND ? this.#descend(node) : this.#stepTo();
  }

  #stepTo(): Advanced {
    const path = pathOf(this.#state);
    const n = (own(this.#state.counts, path) ?? 0) + 1;
    this.#state.counts[path] = n;
    this.#state.steps.used += 1;
    return this.#arrive({ kind: 'step', step: { node: path, n } });
  }

  /** Past its `max` a node is not entered; its edge for `exhausted` is taken in its place. */
  #passOver(node: BlueprintNode): Advanced {
    const path = pathOf(this.#state);
    const again = this.#passedOver.has(path);
    this.#passedOver.add(path);
    if (!again && (own(node.on, 'exhausted') ?? PARK) !== PARK) return this.leave(node, 'exhausted');
    const per = node.per === undefined ? {} : { per: node.per };
    const bound = { name: 'max', amount: node.max ?? 0, ...per } as const;
    return this.#park({ kind: 'exhausted', node: path, outcome: this.#outcome, bound });
  }

  #descend(node: BlueprintNode): Advanced {
    const { frame, blueprint } = innermost(this.#root, this.#state);
    const inner = innerBlueprint(blueprint, node);
    this.#state.frames.push(newFrame(inner, resolveValues(frame, node.with)));
    return this.enter(inner.start);
  }

  /** An end of an inner blueprint is an outcome of the node that entered it. */
  #end(name: string): Advanced {
    const { frame, blueprint } = innermost(this.#root, this.#state);
    const end = own(blueprint.ends, name) ?? { as: 'failed' as const, outputs: {} };
    const outputs = resolveValues(frame, end.outputs);
    if (this.#state.frames.length === 1) return this.#arrive({ kind: 'ended', end: name, as: end.as, outputs });
    this.#state.frames.pop();
    const outer = innermost(this.#root, this.#state);
    const node = nodeNamed(outer.blueprint, outer.frame.node);
    outer.frame.outputs[node.name] = { ...outputs, [END_OUTPUT]: name };
    return this.leave(node, name);
  }

  #park(reason: ParkReason): Advanced {
    return this.#arrive({ kind: 'parked', reason, ...(this.#step === undefined ? {} : { step: this.#step }) });
  }

  #arrive(at: FlowState['at']): Advanced {
    this.#state.at = at;
    const transition = currentTransition(this.#root, this.#state);
    return { state: this.#state, transition: { ...transition, edges: this.#edges } };
  }
}
