import type { Draft } from '../draft.ts';
import { type LoopNode, unboundedLoops } from '../loops.ts';
import { type Problem, quoted } from '../problem.ts';

/** Every loop is bounded by a `max` of its own; `limits.steps` is not enough, since what it ends has already been paid for. */
export function loopsAreBounded(draft: Draft): Problem[] {
  const nodes: LoopNode[] = [...draft.nodes.values()].map(({ name, max, per, edges }) => ({ name, max, per, edges }));
  return unboundedLoops(nodes).map((loop) => {
    const path = ['nodes', loop.nodes[0] ?? ''];
    if (loop.kind === 'loop') {
      const message = `nothing bounds the loop ${[...loop.nodes, loop.nodes[0] ?? ''].join(' → ')}`;
      return draft.document.problem(path, message, hint(draft, loop.nodes), 'key');
    }
    const message = `nothing bounds the loops through ${quoted(loop.nodes)}: they restart each other's count`;
    return draft.document.problem(path, message, 'give one of them a max without per', 'key');
  });
}

function hint(draft: Draft, loop: readonly string[]): string {
  const bounded = loop.flatMap((name) => draft.nodes.get(name) ?? []).find((node) => node.max !== undefined);
  if (bounded === undefined) return 'give one of its nodes a max';
  if (bounded.per !== undefined && loop.includes(bounded.per)) {
    return `the max of ${bounded.name} does not count: its per, ${bounded.per}, is in the loop too`;
  }
  return `the max of ${bounded.name} does not count: the loop goes on over its edge for exhausted`;
}
