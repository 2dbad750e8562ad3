import { NAME, PARK, READY_MADE_ENDS } from '../../domain/blueprint.ts';
import { BLUEPRINT_KIND, UNIVERSAL_OUTCOMES } from '../../domain/node-kind.ts';
import type { Draft } from '../draft.ts';
import { type Problem, quoted } from '../problem.ts';
import { INPUTS } from '../values.ts';

const MAX_NODES = 200;
const SHAPE = 'a name starts with a small letter and goes on with small letters, digits and hyphens';

/** Nodes and ends have names that nothing else has. */
export function namesAreFree(draft: Draft): Problem[] {
  const problems: Problem[] = [];
  for (const { name, path } of [...draft.nodes.values(), ...draft.ends.values()]) {
    const wrong = path && whyNot(name);
    if (wrong) problems.push(draft.document.problem(path, `${quoted([name])} cannot be a node's name`, wrong, 'key'));
  }
  for (const { name, path } of draft.ends.values()) {
    if (path === undefined || !UNIVERSAL_OUTCOMES.includes(name)) continue;
    const hint = `${UNIVERSAL_OUTCOMES.join(', ')} are outcomes of every node that enters this blueprint`;
    problems.push(draft.document.problem(path, `an end cannot be named ${quoted([name])}`, hint, 'key'));
  }
  return problems;
}

function whyNot(name: string): string | undefined {
  if (!NAME.test(name)) return SHAPE;
  if (name === PARK || Object.hasOwn(READY_MADE_ENDS, name))
    return `${name} is already something that an edge leads to`;
  return name === INPUTS ? `$${INPUTS} stands for the inputs of the blueprint` : undefined;
}

/** There are nodes, and not more than a person can still follow. */
export function nodesCanBeCounted(draft: Draft): Problem[] {
  if (draft.nodes.size > MAX_NODES) {
    const hint = 'move a part into a blueprint of its own and enter it with { blueprint: NAME }';
    return [draft.document.problem(['nodes'], `more than ${MAX_NODES} nodes`, hint, 'key')];
  }
  return [];
}

/** Outcomes that a node brings itself, as an approval's `choices` do, are names, once each, and none that every node has. */
export function outcomesAreNames(draft: Draft): Problem[] {
  const problems: Problem[] = [];
  for (const node of draft.nodes.values()) {
    if (node.kind === undefined || node.kind.kind === BLUEPRINT_KIND || node.outcomes === undefined) continue;
    const say = (message: string, hint?: string) =>
      problems.push(draft.document.problem(node.path, message, hint, 'key'));
    if (node.outcomes.length === 0) say(`node ${quoted([node.name])} has no outcome at all`);
    for (const [index, outcome] of node.outcomes.entries()) {
      if (!NAME.test(outcome)) say(`${quoted([outcome])} cannot be an outcome`, SHAPE);
      if (node.outcomes.indexOf(outcome) < index) say(`the outcome ${quoted([outcome])} stands twice`);
      if (node.universal.includes(outcome)) say(`${quoted([outcome])} is already an outcome of this node`);
    }
  }
  return problems;
}
