import { type Blueprint, PARK } from '../domain/blueprint.ts';
import { BLUEPRINT_KIND, type NodeFields, type NodeKindDescriptor, UNIVERSAL_OUTCOMES } from '../domain/node-kind.ts';
import type { Path, SourceDocument } from './document.ts';
import type { DraftEdge, DraftEnd, DraftNode } from './draft.ts';
import { endOutputs, reachableEnds } from './ends.ts';
import { CommonFields, EndFile } from './file-schema.ts';
import { isMapping, parseFields, problemsOf, unknownField } from './issues.ts';
import { known, type Problem, quoted } from './problem.ts';
import { readValues } from './values.ts';

/** What reading the nodes of a file needs from the file round them. */
export interface NodeSurroundings {
  readonly document: SourceDocument;
  readonly kinds: ReadonlyMap<string, NodeKindDescriptor>;
  /** The blueprint's own defaults by outcome. */
  readonly on: Readonly<Record<string, string>>;
  /** Loads a blueprint that a node names, once; undefined after its problems have been noted. */
  child(name: string, at: Path): Blueprint | undefined;
}

export type NodeRead =
  | { readonly kind: 'node'; readonly node: DraftNode; readonly problems: Problem[] }
  | { readonly kind: 'end'; readonly end: DraftEnd; readonly problems: Problem[] };

/** Reads one entry of `nodes`, as much of it as makes sense: what is wrong is said and left out. */
export function readNode(name: string, written: unknown, round: NodeSurroundings): NodeRead {
  const path = ['nodes', name];
  const { document, kinds } = round;
  if (!isMapping(written)) {
    const problem = document.problem(
      path,
      `node ${quoted([name])} is not a mapping`,
      `kinds: ${[...kinds.keys()].join(', ')}`,
    );
    return { kind: 'node', node: unreadable(name, path, {}, round), problems: [problem] };
  }
  if (Object.hasOwn(written, 'end')) return readEnd(name, path, written, document);

  const common = parseFields(document, path, written, CommonFields.shape);
  const values = readValues(document, [...path, 'with'], common.fields.with ?? {});
  const own = readOwnFields(name, path, written, round);
  const problems = [...common.problems, ...values.problems, ...own.problems];
  if (own.kind === undefined) {
    return { kind: 'node', node: unreadable(name, path, written, round), problems };
  }
  const { kind, fields } = own;
  const references = kind.references?.(fields) ?? {};
  const children = new Map(
    (references.blueprints ?? []).map((child) => [child, round.child(child, [...path, kind.kind])]),
  );
  const child = kind.kind === BLUEPRINT_KIND ? children.get(String(fields[BLUEPRINT_KIND])) : undefined;
  const outcomes = kind.kind === BLUEPRINT_KIND ? child && reachableEnds(child) : listed(kind.outcomes, fields);
  const universal = [...UNIVERSAL_OUTCOMES, ...(kind.universal ?? [])];
  const { max, per, next, limits } = common.fields;
  const edges = resolveEdges({ path, on: common.fields.on, next, outcomes, universal }, round.on);
  const outputs = kind.kind === BLUEPRINT_KIND ? child && endOutputs(child) : listed(kind.outputs, fields);
  const said = { max, per, next, limits, with: values.values };
  const node = { name, path, kind, fields, references, outcomes, universal, outputs, edges, ...said };
  return { kind: 'node', node, problems };
}

function readEnd(name: string, path: Path, written: Record<string, unknown>, document: SourceDocument): NodeRead {
  const read = parseFields(document, path, written, EndFile.shape);
  const values = readValues(document, [...path, 'outputs'], read.fields.outputs ?? {});
  const unknown = Object.keys(written).filter((key) => !Object.hasOwn(EndFile.shape, key));
  const problems = [...read.problems, ...values.problems];
  problems.push(...unknown.map((key) => unknownField(document, [...path, key], Object.keys(EndFile.shape))));
  const end = { name, path, as: read.fields.end ?? 'succeeded', outputs: values.values };
  return { kind: 'end', end, problems };
}

type OwnFields =
  | { kind: NodeKindDescriptor; fields: NodeFields; problems: Problem[] }
  | { kind: undefined; problems: Problem[] };

/** The fields that belong to the kind. */
function readOwnFields(name: string, path: Path, written: Record<string, unknown>, round: NodeSurroundings): OwnFields {
  const { document, kinds } = round;
  const keys = Object.keys(written).filter((key) => !Object.hasOwn(CommonFields.shape, key));
  const candidates = keys.flatMap((key) => kinds.get(key) ?? []);
  const kind = candidates.find((one) => candidates.every((other) => Object.hasOwn(one.fields.shape, other.kind)));
  if (kind === undefined) {
    const named = candidates.map((candidate) => candidate.kind);
    const problem =
      named.length > 0
        ? document.problem(
            path,
            `node ${quoted([name])} has more than one kind: ${quoted(named)}`,
            'make each a node',
            'key',
          )
        : document.problem(path, `node ${quoted([name])} has no known kind`, known(keys[0] ?? '', kinds.keys()), 'key');
    return { kind: undefined, problems: [problem] };
  }
  const shape = kind.fields.shape;
  const unknown = keys.filter((key) => !Object.hasOwn(shape, key));
  const fields = [...Object.keys(shape), ...Object.keys(CommonFields.shape)];
  const problems = unknown.map((key) => unknownField(document, [...path, key], fields));
  const own = Object.fromEntries(keys.filter((key) => !unknown.includes(key)).map((key) => [key, written[key]]));
  const read = kind.fields.safeParse(own);
  if (read.success) return { kind, fields: read.data, problems };
  return { kind: undefined, problems: [...problems, ...problemsOf(document, path, kind.fields, read.error.issues)] };
}

interface WrittenEdges {
  readonly path: Path;
  readonly on: Readonly<Record<string, string>> | undefined;
  readonly next: string | undefined;
  readonly outcomes: readonly string[] | undefined;
  readonly universal: readonly string[];
}

/** What the node says, then what the blueprint says of its outcomes, then `park` for the universal ones. */
function resolveEdges(node: WrittenEdges, defaults: Readonly<Record<string, string>>): DraftEdge[] {
  const edges: DraftEdge[] = Object.entries(node.on ?? {}).map(([outcome, to]) => ({
    outcome,
    to,
    path: [...node.path, 'on', outcome],
    from: 'node',
  }));
  if (node.next !== undefined) {
    edges.push({ outcome: node.outcomes?.[0] ?? 'next', to: node.next, path: [...node.path, 'next'], from: 'node' });
  }
  // Of a node whose outcomes are not known, any default may be one: what that leads to must not be called unreachable.
  for (const outcome of [...(node.outcomes ?? Object.keys(defaults)), ...node.universal]) {
    if (edges.some((edge) => edge.outcome === outcome)) continue;
    if (Object.hasOwn(defaults, outcome)) {
      edges.push({ outcome, to: String(defaults[outcome]), path: ['on', outcome], from: 'blueprint' });
    } else if (node.universal.includes(outcome)) {
      edges.push({ outcome, to: PARK, path: node.path, from: 'default' });
    }
  }
  return edges;
}

/** A node of which only the way on is known, so that the nodes behind it are not called unreachable. */
function unreadable(name: string, path: Path, written: Record<string, unknown>, round: NodeSurroundings): DraftNode {
  const { on, next, max, per } = parseFields(round.document, path, written, CommonFields.shape).fields;
  const edges = resolveEdges({ path, on, next, outcomes: undefined, universal: UNIVERSAL_OUTCOMES }, round.on);
  const nothing = { kind: undefined, fields: {}, references: {}, outcomes: undefined, outputs: undefined, with: {} };
  return { name, path, ...nothing, max, per, next, universal: UNIVERSAL_OUTCOMES, edges };
}

function listed(
  list: readonly string[] | ((fields: NodeFields) => readonly string[]),
  fields: NodeFields,
): readonly string[] {
  return typeof list === 'function' ? list(fields) : list;
}
