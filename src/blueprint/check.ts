import type { Draft } from './draft.ts';
import type { Problem } from './problem.ts';
import {
  edgesAreForOutcomes,
  edgesLeadSomewhere,
  nextIsSaidOnce,
  outcomesHaveEdges,
  perRestartsAMax,
  startIsANode,
} from './rules/edges.ts';
import { loopsAreBounded } from './rules/loops.ts';
import { namesAreFree, nodesCanBeCounted, outcomesAreNames } from './rules/names.ts';
import { agentsExist, checksExist, namedNodesExist, promptsExist, requirementsExist } from './rules/references.ts';
import { innerInputsFit, referencesExist } from './rules/values.ts';
import { everythingEnds, everythingIsReached } from './rules/ways.ts';

/**
 * What must hold of a blueprint before a run may start with it. Each rule looks at the whole draft and returns what it finds;
 * it is silent on parts that could not be read, whose problems are already known.
 */
type Rule = (draft: Draft) => Problem[];

const RULES: readonly Rule[] = [
  namesAreFree,
  outcomesAreNames,
  startIsANode,
  edgesLeadSomewhere,
  edgesAreForOutcomes,
  outcomesHaveEdges,
  nextIsSaidOnce,
  perRestartsAMax,
  agentsExist,
  checksExist,
  requirementsExist,
  namedNodesExist,
  promptsExist,
  referencesExist,
  innerInputsFit,
];

/** These follow every edge, so they look only at graphs of a size that a person could have written. */
const GRAPH_RULES: readonly Rule[] = [everythingIsReached, everythingEnds, loopsAreBounded];

export function checkDraft(draft: Draft): Problem[] {
  const tooMany = nodesCanBeCounted(draft);
  const rules = tooMany.length > 0 ? RULES : [...RULES, ...GRAPH_RULES];
  return [...tooMany, ...rules.flatMap((rule) => rule(draft))];
}

/** What is allowed but will not do what it seems to say. */
export function remarks(draft: Draft): string[] {
  const { checks } = draft.context;
  if (checks === undefined) return [];
  const runs = (name: string) =>
    name === 'all' ? checks.length > 0 : checks.some((check) => check.name === name || check.kind === name);
  return [...draft.nodes.values()].flatMap((node) =>
    (node.references.checks ?? [])
      .filter((name) => !runs(name))
      .map((name) => `node "${node.name}" names "${name}", but no such check is declared here: nothing runs for it`),
  );
}
