import type { Blueprint, BlueprintEnd, BlueprintNode } from '../domain/blueprint.ts';
import type { Draft, DraftNode } from './draft.ts';

/** The blueprint that a draft without problems stands for, with the texts of its prompts. */
export function finish(draft: Draft): Blueprint {
  const { name, summary, inputs, limits, workspace, requires, start = '', children } = draft;
  return {
    name,
    ...(summary === undefined ? {} : { summary }),
    inputs,
    limits,
    workspace,
    requires: [...requires],
    start,
    nodes: record(draft.nodes, finishNode),
    ends: record(draft.ends, ({ as, outputs }): BlueprintEnd => ({ as, outputs })),
    prompts: readPrompts(draft),
    blueprints: Object.fromEntries(children),
  };
}

function finishNode(node: DraftNode): BlueprintNode {
  const { name, kind, fields, max, per, limits, outcomes = [] } = node;
  return {
    name,
    kind: kind?.kind ?? '',
    fields,
    ...(max === undefined ? {} : { max }),
    ...(per === undefined ? {} : { per }),
    on: Object.fromEntries(node.edges.map((edge) => [edge.outcome, edge.to])),
    with: node.with,
    outcomes: [...outcomes],
    ...(limits === undefined ? {} : { limits }),
  };
}

function readPrompts(draft: Draft): Record<string, string> {
  const names = [...draft.nodes.values()].flatMap((node) => node.references.prompts ?? []);
  return Object.fromEntries([...new Set(names)].map((name) => [name, draft.context.readPrompt(name) ?? '']));
}

function record<From, To>(map: ReadonlyMap<string, From>, make: (value: From) => To): Record<string, To> {
  return Object.fromEntries([...map].map(([name, value]) => [name, make(value)]));
}
