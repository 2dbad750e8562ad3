import type { Blueprint, BlueprintNode, WithValue } from '../domain/blueprint.ts';
import { BLUEPRINT_KIND } from '../domain/node-kind.ts';
import { SwitchyardError } from '../lib/error.ts';
import type { FlowState, Frame } from './flow.ts';

/** The innermost frame of a flow with the blueprint that it is in. */
export interface Place {
  readonly frame: Frame;
  readonly blueprint: Blueprint;
}

/** Throws when the state is not one of this blueprint: a run's two columns do not belong together. */
export function innermost(blueprint: Blueprint, state: FlowState): Place {
  let inner = blueprint;
  for (const outer of state.frames.slice(0, -1)) inner = innerBlueprint(inner, nodeNamed(inner, outer.node));
  const frame = state.frames.at(-1);
  if (frame === undefined) throw new FlowMismatch('a state without a frame');
  return { frame, blueprint: inner };
}

/** A node that is known to be there. */
export function nodeNamed(blueprint: Blueprint, name: string): BlueprintNode {
  const node = own(blueprint.nodes, name);
  if (node === undefined) throw new FlowMismatch(`a node "${name}" that blueprint "${blueprint.name}" does not have`);
  return node;
}

/** The blueprint that a node of kind `blueprint` enters. */
export function innerBlueprint(blueprint: Blueprint, node: BlueprintNode): Blueprint {
  const inner = own(blueprint.blueprints, String(node.fields[BLUEPRINT_KIND]));
  if (inner === undefined) throw new FlowMismatch(`a node "${node.name}" whose blueprint is not there`);
  return inner;
}

/** Where the run is: `node`, or `outer/inner`. */
export function pathOf(state: FlowState): string {
  return state.frames.map((frame) => frame.node).join('/');
}

/** A frame before its first node. Inputs that the blueprint does not declare are left out, absent ones take their default. */
export function newFrame(blueprint: Blueprint, given: Readonly<Record<string, unknown>>): Frame {
  const inputs = Object.entries(blueprint.inputs).map(([name, input]) => [
    name,
    own(given, name) ?? input.default ?? null,
  ]);
  return { inputs: Object.fromEntries(inputs) as Frame['inputs'], node: blueprint.start, visits: {}, outputs: {} };
}

/**
 * Makes the path the place where the run is, and gives its last node a visit again if it has none left; returns that node. A blueprint on
 * the way that the run is not inside of is entered anew. Writes to the state.
 */
export function standAt(blueprint: Blueprint, state: FlowState, path: string): BlueprintNode {
  const names = path.split('/');
  let inner = blueprint;
  for (const [depth, name] of names.slice(0, -1).entries()) {
    const node = nodeNamed(inner, name);
    const entered = innerBlueprint(inner, node);
    const frame = frameAt(state, depth);
    if (frame.node !== name || state.frames.length === depth + 1) {
      frame.node = name;
      giveVisit(frame, node);
      countVisit(inner, frame, name);
      state.frames.splice(depth + 1, Infinity, newFrame(entered, resolveValues(frame, node.with)));
    }
    inner = entered;
  }
  state.frames.length = names.length;
  const frame = frameAt(state, names.length - 1);
  const node = nodeNamed(inner, names.at(-1) ?? '');
  frame.node = node.name;
  giveVisit(frame, node);
  return node;
}

function frameAt(state: FlowState, depth: number): Frame {
  const frame = state.frames[depth];
  if (frame === undefined) throw new FlowMismatch('a state without a frame');
  return frame;
}

/** The same for all nodes of the blueprints that the run is inside of. Writes to the state. */
export function giveAllVisits(blueprint: Blueprint, state: FlowState): void {
  let inner = blueprint;
  for (const [depth, frame] of state.frames.entries()) {
    for (const node of Object.values(inner.nodes)) giveVisit(frame, node);
    if (depth < state.frames.length - 1) inner = innerBlueprint(inner, nodeNamed(inner, frame.node));
  }
}

/** A bound that stands against entering the node gets its original amount again. */
function giveVisit(frame: Frame, node: BlueprintNode): void {
  if (isSpent(node, own(frame.visits, node.name))) frame.visits[node.name] = 0;
}

export function isSpent(node: BlueprintNode, visits: number | undefined): boolean {
  return node.max !== undefined && (visits ?? 0) >= node.max;
}

/** The node is entered: it counts, and what is counted by it begins again. */
export function countVisit(blueprint: Blueprint, frame: Frame, name: string): void {
  for (const other of Object.values(blueprint.nodes)) if (other.per === name) frame.visits[other.name] = 0;
  frame.visits[name] = (own(frame.visits, name) ?? 0) + 1;
}

/** The values that a node or an end is handed. */
export function resolveValues(frame: Frame, values: Readonly<Record<string, WithValue>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, resolveValue(frame, value)]));
}

function resolveValue(frame: Frame, value: WithValue): unknown {
  if (value.kind === 'literal') return value.value;
  if (value.kind === 'input') return own(frame.inputs, value.input) ?? null;
  return own(own(frame.outputs, value.node) ?? {}, value.output) ?? null;
}

/** A property that the object has itself: names come from people, and `constructor` is a name. */
export function own<Value>(record: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

class FlowMismatch extends SwitchyardError {
  constructor(what: string) {
    super({
      code: 'blueprint/state-mismatch',
      message: `the stored state of a run names ${what}`,
      hint: 'the row of the run is damaged; restore the database from a backup, or start a new run from its last checkpoint',
    });
  }
}
