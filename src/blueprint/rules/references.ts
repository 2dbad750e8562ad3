import { CHECK_KINDS } from '../../domain/node-kind.ts';
import type { Path } from '../document.ts';
import type { Draft, DraftNode } from '../draft.ts';
import { isMapping } from '../issues.ts';
import { known, type Problem, quoted } from '../problem.ts';

const ALWAYS_KNOWN_AGENTS = ['default', 'same'];
const PROMPT_NAME = /^\w[\w.-]*(\/\w[\w.-]*)*$/;

/** Every agent that a node names is configured, where that can be known. */
export function agentsExist(draft: Draft): Problem[] {
  const agents = draft.context.agents;
  if (agents === undefined) return [];
  const all = [...ALWAYS_KNOWN_AGENTS, ...agents];
  return unknownNames(
    draft,
    'agent',
    (node) => node.references.agents,
    () => all,
  );
}

/** Every name in `check:` is a declared check, a kind of check, or `all`, where that can be known. */
export function checksExist(draft: Draft): Problem[] {
  const all = checkNames(draft, 'all');
  return all === undefined
    ? []
    : unknownNames(
        draft,
        'check',
        (node) => node.references.checks,
        () => all,
      );
}

/** What a run requires is a check, a kind of check, or `check`: any at all. */
export function requirementsExist(draft: Draft): Problem[] {
  const all = checkNames(draft, 'check');
  if (all === undefined) return [];
  return draft.requires.flatMap((name, index) =>
    all.includes(name)
      ? []
      : [draft.document.problem(['requires', index], `nothing is known as ${quoted([name])}`, known(name, all))],
  );
}

function checkNames(draft: Draft, any: string): string[] | undefined {
  const { checks } = draft.context;
  if (checks === undefined) return undefined;
  const kinds = [...CHECK_KINDS, ...checks.flatMap((check) => check.kind ?? [])];
  return [...new Set([any, ...checks.map((check) => check.name), ...kinds])];
}

/** Nodes that a node names in its own fields are there, and of its kind where they have to be. */
export function namedNodesExist(draft: Draft): Problem[] {
  const named = unknownNames(
    draft,
    'node',
    (node) => node.references.nodes,
    () => [...draft.nodes.keys()],
  );
  const peers = unknownNames(
    draft,
    'node',
    (node) => node.references.peers,
    (node) =>
      [...draft.nodes.values()].filter((other) => !other.kind || other.kind === node.kind).map(({ name }) => name),
  );
  return [...named, ...peers];
}

/** Every prompt file that a node names can be read. */
export function promptsExist(draft: Draft): Problem[] {
  return [...draft.nodes.values()].flatMap((node) =>
    (node.references.prompts ?? []).flatMap((prompt) => {
      const path = placeOf(draft, node, prompt);
      if (!PROMPT_NAME.test(prompt)) {
        const hint = 'a file name below the folder of prompts, as implement.md';
        return [draft.document.problem(path, `${quoted([prompt])} cannot be a prompt file`, hint)];
      }
      if (draft.context.readPrompt(prompt) !== undefined) return [];
      return [draft.document.problem(path, `there is no prompt file ${quoted([prompt])}`)];
    }),
  );
}

function unknownNames(
  draft: Draft,
  what: string,
  named: (node: DraftNode) => readonly string[] | undefined,
  all: (node: DraftNode) => readonly string[],
): Problem[] {
  return [...draft.nodes.values()].flatMap((node) =>
    (named(node) ?? [])
      .filter((name) => !all(node).includes(name))
      .map((name) => {
        const kind = what === 'node' && draft.nodes.has(name) && node.kind ? ` of kind ${node.kind.kind}` : '';
        const message = `there is no ${what} ${quoted([name])}${kind}`;
        return draft.document.problem(placeOf(draft, node, name), message, known(name, all(node)));
      }),
  );
}

/** Where the fields of a node speak of a name: the value that is it, else one that holds it as a word, else the node. */
function placeOf(draft: Draft, node: DraftNode, name: string): Path {
  const nodes = isMapping(draft.document.value) ? draft.document.value['nodes'] : undefined;
  const written = isMapping(nodes) && isMapping(nodes[node.name]) ? nodes[node.name] : undefined;
  const own = Object.entries(written ?? {}).filter(([key]) => node.kind && Object.hasOwn(node.kind.fields.shape, key));
  const texts = own.flatMap(([key, value]) => textsIn(value, [...node.path, key]));
  const exact = texts.find(({ text }) => text === name);
  return (exact ?? texts.find(({ text }) => text.split(/\s+/).includes(name)))?.path ?? node.path;
}

function textsIn(value: unknown, path: Path): { text: string; path: Path }[] {
  if (typeof value === 'string') return [{ text: value, path }];
  if (Array.isArray(value)) return value.flatMap((inner, index) => textsIn(inner, [...path, index]));
  return isMapping(value) ? Object.entries(value).flatMap(([key, inner]) => textsIn(inner, [...path, key])) : [];
}
