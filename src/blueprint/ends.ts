import type { Blueprint } from '../domain/blueprint.ts';

/** The ends of a checked blueprint that some way from its start leads to: those that succeed first, `done` before others. */
export function reachableEnds(blueprint: Blueprint): string[] {
  const reached = new Set([blueprint.start]);
  for (const name of reached) {
    if (!Object.hasOwn(blueprint.nodes, name)) continue;
    for (const to of Object.values(blueprint.nodes[name]?.on ?? {})) reached.add(to);
  }
  const order = ['succeeded', 'failed', 'abandoned'];
  return Object.entries(blueprint.ends)
    .filter(([name]) => reached.has(name))
    .sort(([, a], [, b]) => order.indexOf(a.as) - order.indexOf(b.as))
    .map(([name]) => name);
}

/** The names of what a node that enters this blueprint has as outputs. */
export function endOutputs(blueprint: Blueprint): string[] {
  const names = reachableEnds(blueprint).flatMap((name) => Object.keys(blueprint.ends[name]?.outputs ?? {}));
  return [...new Set([...names, END_OUTPUT])];
}

/** The output of a node of kind `blueprint` that holds the name of the end. */
export const END_OUTPUT = 'end';
