import { PARK } from '../../domain/blueprint.ts';
import type { Draft } from '../draft.ts';
import { type Problem, quoted } from '../problem.ts';
import { isTarget } from './edges.ts';

/** Every node and every end that is written down can be come to from the start. */
export function everythingIsReached(draft: Draft): Problem[] {
  if (draft.start === undefined || !draft.nodes.has(draft.start)) return [];
  const reached = reachedFrom(draft, draft.start);
  const unreached = [...draft.nodes.values(), ...draft.ends.values()].filter(
    ({ name, path }) => path && !reached.has(name),
  );
  return unreached.map(({ name, path }) => {
    const message = `no way leads from ${quoted([draft.start ?? ''])} to ${quoted([name])}`;
    return draft.document.problem(path ?? [], message, 'lead an edge there, or take it out', 'key');
  });
}

/** From the start an end can be come to, and from every node an end or a person. */
export function everythingEnds(draft: Draft): Problem[] {
  const { start, nodes, ends, document } = draft;
  const allKnown = [...nodes.values()].every(
    (node) => node.outcomes && node.edges.every((edge) => isTarget(draft, edge.to)),
  );
  // An edge whose target is a slip of the pen may have been meant to lead to an end.
  if (start === undefined || !nodes.has(start) || !allKnown) return [];
  const isLast = (name: string) => name === PARK || ends.has(name);
  const stuck = [...nodes.values()].filter((node) => !reachedFrom(draft, node.name).values().some(isLast));
  const problems = stuck.map((node) => {
    const message = `from node ${quoted([node.name])} no way leads to an end or to a person`;
    return document.problem(node.path, message, 'let an outcome lead to an end, to park, or on to one', 'key');
  });
  if (
    problems.length > 0 ||
    reachedFrom(draft, start)
      .values()
      .some((name) => ends.has(name))
  )
    return problems;
  const hint = `let an outcome lead to ${[...ends.keys()].join(', ')}`;
  return [document.problem(['start'], `no way leads from ${quoted([start])} to an end`, hint)];
}

function reachedFrom(draft: Draft, start: string): Set<string> {
  const reached = new Set([start]);
  for (const name of reached) {
    for (const edge of draft.nodes.get(name)?.edges ?? []) reached.add(edge.to);
  }
  return reached;
}
