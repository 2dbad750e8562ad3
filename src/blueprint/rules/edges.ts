import { PARK } from '../../domain/blueprint.ts';
import type { Draft, DraftNode } from '../draft.ts';
import { known, type Problem, quoted } from '../problem.ts';

/** The run starts at a node. */
export function startIsANode(draft: Draft): Problem[] {
  const { start, nodes } = draft;
  if (start === undefined || nodes.has(start)) return [];
  return [
    draft.document.problem(['start'], `there is no node ${quoted([start])} to start with`, known(start, nodes.keys())),
  ];
}

/** Every edge leads to a node, an end, or `park`. */
export function edgesLeadSomewhere(draft: Draft): Problem[] {
  const written = [...draft.nodes.values()].flatMap((node) => node.edges.filter((edge) => edge.from === 'node'));
  const defaults = Object.entries(draft.on).map(([outcome, to]) => ({ to, path: ['on', outcome] }));
  return [...written, ...defaults]
    .filter(({ to }) => !isTarget(draft, to))
    .map(({ to, path }) => {
      const targets = [...draft.nodes.keys(), ...draft.ends.keys(), PARK];
      return draft.document.problem(path, `there is no node ${quoted([to])}`, known(to, targets));
    });
}

/** Whether an edge may lead there. */
export function isTarget(draft: Draft, name: string): boolean {
  return name === PARK || draft.nodes.has(name) || draft.ends.has(name);
}

/** Every outcome that an edge is written for is one that the node can have. */
export function edgesAreForOutcomes(draft: Draft): Problem[] {
  const problems: Problem[] = [];
  const all = [...draft.nodes.values()];
  for (const node of all) {
    const outcomes = outcomesOf(node);
    if (outcomes === undefined) continue;
    const unknown = node.edges.filter((edge) => edge.from === 'node' && !outcomes.includes(edge.outcome));
    for (const { path, outcome } of unknown) {
      const message = `node ${quoted([node.name])} has no outcome ${quoted([outcome])}`;
      problems.push(draft.document.problem(path, message, known(outcome, outcomes), 'key'));
    }
  }
  for (const outcome of all.every((node) => outcomesOf(node)) ? Object.keys(draft.on) : []) {
    if (all.some((node) => outcomesOf(node)?.includes(outcome))) continue;
    const outcomes = new Set(all.flatMap((node) => outcomesOf(node) ?? []));
    const message = `no node has an outcome ${quoted([outcome])}`;
    problems.push(draft.document.problem(['on', outcome], message, known(outcome, outcomes), 'key'));
  }
  return problems;
}

function outcomesOf(node: DraftNode): string[] | undefined {
  return node.outcomes && [...node.outcomes, ...node.universal];
}

/** Every outcome of a node leads somewhere. */
export function outcomesHaveEdges(draft: Draft): Problem[] {
  return [...draft.nodes.values()].flatMap((node) => {
    const missing = (node.outcomes ?? []).filter((outcome) => !node.edges.some((edge) => edge.outcome === outcome));
    if (missing.length === 0) return [];
    const [word, them] = missing.length === 1 ? ['outcome', 'it'] : ['outcomes', 'them'];
    const message = `the ${word} ${quoted(missing)} of node ${quoted([node.name])} ${missing.length === 1 ? 'leads' : 'lead'} nowhere`;
    const hint = `say where with on: { ${missing.map((outcome) => `${outcome}: …`).join(', ')} }, or park to ask a person about ${them}`;
    return [draft.document.problem(node.path, message, hint, 'key')];
  });
}

/** `next` and `on` do not both speak of the main outcome. */
export function nextIsSaidOnce(draft: Draft): Problem[] {
  return [...draft.nodes.values()].flatMap((node) => {
    const main = node.outcomes?.[0];
    const said = node.edges.filter((edge) => edge.from === 'node' && edge.outcome === main);
    if (main === undefined || node.next === undefined || said.length < 2) return [];
    const message = `"next" and "on" of node ${quoted([node.name])} both say where ${quoted([main])} leads`;
    return [draft.document.problem([...node.path, 'next'], message, 'keep one of them', 'key')];
  });
}

/** `per` names another node, and there is a `max` for it to restart. */
export function perRestartsAMax(draft: Draft): Problem[] {
  return [...draft.nodes.values()].flatMap((node) => {
    const { per, max, name } = node;
    if (per === undefined) return [];
    const say = (message: string, hint?: string) => [draft.document.problem([...node.path, 'per'], message, hint)];
    if (!draft.nodes.has(per)) return say(`there is no node ${quoted([per])}`, known(per, draft.nodes.keys()));
    if (per === name)
      return say(`node ${quoted([name])} restarts its own count`, 'name another node, or leave "per" out');
    return max === undefined ? say(`"per" without "max" bounds nothing`, 'add a max') : [];
  });
}
