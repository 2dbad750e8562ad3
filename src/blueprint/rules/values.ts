import type { WithValue } from '../../domain/blueprint.ts';
import { BLUEPRINT_KIND } from '../../domain/node-kind.ts';
import type { Path } from '../document.ts';
import type { Draft, DraftNode } from '../draft.ts';
import { known, type Problem, quoted } from '../problem.ts';
import { INPUTS } from '../values.ts';

/** What `with` and the outputs of ends refer to exists. */
export function referencesExist(draft: Draft): Problem[] {
  const nodes = [...draft.nodes.values()].map((node) => ({ values: node.with, path: [...node.path, 'with'] }));
  const ends = [...draft.ends.values()].map((end) => ({ values: end.outputs, path: [...(end.path ?? []), 'outputs'] }));
  return [...nodes, ...ends].flatMap(({ values, path }) =>
    Object.entries(values).flatMap(([name, value]) => referenceProblem(draft, value, [...path, name]) ?? []),
  );
}

function referenceProblem(draft: Draft, value: WithValue, path: Path): Problem | undefined {
  if (value.kind === 'literal') return undefined;
  if (value.kind === 'input') {
    if (Object.hasOwn(draft.inputs, value.input)) return undefined;
    const message = `the blueprint has no input ${quoted([value.input])}`;
    return draft.document.problem(path, message, known(value.input, Object.keys(draft.inputs)));
  }
  const node = draft.nodes.get(value.node);
  if (node === undefined) {
    const hint = known(value.node, [...draft.nodes.keys(), INPUTS]);
    return draft.document.problem(path, `there is no node ${quoted([value.node])}`, hint);
  }
  if (node.outputs === undefined || node.outputs.includes(value.output)) return undefined;
  const message = `node ${quoted([node.name])} has no output ${quoted([value.output])}`;
  return draft.document.problem(path, message, known(value.output, node.outputs));
}

/** A node that enters another blueprint gives it the inputs that it requires, and no others. */
export function innerInputsFit(draft: Draft): Problem[] {
  return [...draft.nodes.values()].flatMap((node) => {
    const inputs = innerInputs(draft, node);
    if (inputs === undefined) return [];
    const unknown = Object.keys(node.with).filter((name) => !Object.hasOwn(inputs, name));
    const required = Object.entries(inputs).filter(([, input]) => input.required === true);
    const missing = required.map(([name]) => name).filter((name) => !Object.hasOwn(node.with, name));
    return [
      ...unknown.map((name) => {
        const message = `the blueprint that node ${quoted([node.name])} enters has no input ${quoted([name])}`;
        return draft.document.problem([...node.path, 'with', name], message, known(name, Object.keys(inputs)), 'key');
      }),
      ...missing.map((name) => {
        const message = `the blueprint that node ${quoted([node.name])} enters requires the input ${quoted([name])}`;
        return draft.document.problem(node.path, message, `add with: { ${name}: … }`, 'key');
      }),
    ];
  });
}

function innerInputs(draft: Draft, node: DraftNode) {
  return node.kind?.kind === BLUEPRINT_KIND
    ? draft.children.get(String(node.fields[BLUEPRINT_KIND]))?.inputs
    : undefined;
}
