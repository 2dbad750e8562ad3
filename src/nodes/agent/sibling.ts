import type { StepContext } from '../../ports/node.ts';

/** The path of a node beside this one: within a blueprint that a node entered, nodes are named `outer/inner`. */
export function sibling(context: StepContext, node: string): string {
  return [...context.step.node.split('/').slice(0, -1), node].join('/');
}
