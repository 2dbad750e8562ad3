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
