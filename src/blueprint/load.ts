import { type Blueprint, type BlueprintEnd, type BlueprintInput, NAME, READY_MADE_ENDS } from '../domain/blueprint.ts';
import { checkDraft, remarks } from './check.ts';
import { type BlueprintSource, type Path, readDocument, type SourceDocument } from './document.ts';
import type { Draft, DraftEnd, DraftNode, LoadContext } from './draft.ts';
import { BlueprintFile } from './file-schema.ts';
import { finish } from './finish.ts';
import { isMapping, parseFields, unknownField } from './issues.ts';
import { type Problem, quoted } from './problem.ts';
import { type NodeSurroundings, readNode } from './read-node.ts';

export type { BlueprintSource } from './document.ts';
export type { LoadContext } from './draft.ts';
export type { Problem } from './problem.ts';

/** `notes` say what is allowed but not in force. `problems` are all there are, in the order of the file's lines. */
export type LoadResult = { ok: true; blueprint: Blueprint; notes: string[] } | { ok: false; problems: Problem[] };

/** Reads a blueprint and all that it names, resolves and checks it. Never throws for what the texts say. */
export function loadBlueprint(source: BlueprintSource, context: LoadContext): LoadResult {
  const loading: Loading = { context, within: [], loaded: new Map(), problems: [], notes: [] };
  const blueprint = load(source, loading);
  if (blueprint !== undefined && loading.problems.length === 0) return { ok: true, blueprint, notes: loading.notes };
  const fileOrder = [...new Set([source.file, ...loading.problems.map((problem) => problem.file)])];
  const problems = loading.problems.toSorted(
    (a, b) =>
      fileOrder.indexOf(a.file) - fileOrder.indexOf(b.file) || a.line - b.line || (a.column ?? 0) - (b.column ?? 0),
  );
  return { ok: false, problems };
}

/** One call of `loadBlueprint`: what it has found so far, over all the files that it has come to. */
interface Loading {
  readonly context: LoadContext;
  /** The blueprints being loaded, outermost first. */
  readonly within: readonly string[];
  readonly loaded: Map<string, Blueprint | undefined>;
  readonly problems: Problem[];
  readonly notes: string[];
}

const MAX_DEPTH = 8;
const MAX_BLUEPRINTS = 100;

/** Undefined when there were problems; they are in `loading`. */
function load(source: BlueprintSource, loading: Loading): Blueprint | undefined {
  const document = readDocument(source);
  const before = loading.problems.length;
  loading.problems.push(...document.problems);
  if (isMapping(document.value)) {
    const draft = readDraft(document, document.value, loading);
    loading.problems.push(...checkDraft(draft));
    loading.notes.push(...remarks(draft));
    const blueprint = loading.problems.length === before ? finish(draft) : undefined;
    if (blueprint === undefined || size(blueprint) <= MAX_BLUEPRINTS) return blueprint;
    loading.problems.push(document.problem(['nodes'], `more than ${MAX_BLUEPRINTS} blueprints inside each other`));
  } else if (document.problems.length === 0) {
    loading.problems.push(document.problem([], 'a blueprint is a mapping with start and nodes'));
  }
  return undefined;
}

function readDraft(document: SourceDocument, written: Record<string, unknown>, loading: Loading): Draft {
  const { fields, problems } = parseFields(document, [], written, BlueprintFile.shape);
  const known = Object.keys(BlueprintFile.shape);
  const unknown = Object.keys(written).filter((key) => !known.includes(key));
  loading.problems.push(...problems, ...unknown.map((key) => unknownField(document, [key], known)));

  const name = fields.name ?? nameOfFile(document.file);
  if (name === undefined) loading.problems.push(document.problem([], 'the blueprint has no name', 'add name: …'));
  const children = new Map<string, Blueprint>();
  const inner: Loading = { ...loading, within: loading.within.length > 0 ? loading.within : [name ?? document.file] };
  const round: NodeSurroundings = {
    document,
    kinds: loading.context.kinds,
    on: fields.on ?? {},
    child: (child, at) => {
      const blueprint = loadChild(child, document, at, inner);
      if (blueprint !== undefined) children.set(child, blueprint);
      return blueprint;
    },
  };
  return {
    document,
    context: loading.context,
    name: name ?? '',
    summary: fields.summary,
    inputs: readInputs(fields.inputs ?? {}),
    limits: fields.limits ?? {},
    workspace: fields.workspace ?? {},
    requires: fields.requires ?? [],
    start: fields.start,
    on: fields.on ?? {},
    ...readNodes(fields.nodes ?? {}, round, loading),
    children,
  };
}

function readNodes(written: Readonly<Record<string, unknown>>, round: NodeSurroundings, loading: Loading) {
  const nodes = new Map<string, DraftNode>();
  const ends = new Map<string, DraftEnd>(
    Object.entries(READY_MADE_ENDS).map(([name, end]) => [name, readyMade(name, end)]),
  );
  for (const [name, node] of Object.entries(written)) {
    const read = readNode(name, node, round);
    loading.problems.push(...read.problems);
    if (read.kind === 'end') ends.set(name, read.end);
    else nodes.set(name, read.node);
  }
  return { nodes, ends };
}

function readyMade(name: string, end: BlueprintEnd): DraftEnd {
  return { name, path: undefined, ...end };
}

/** Each blueprint is loaded once, however many nodes name it. */
function loadChild(name: string, document: SourceDocument, at: Path, loading: Loading): Blueprint | undefined {
  const say = (message: string, hint?: string): undefined => {
    loading.problems.push(document.problem(at, message, hint));
  };
  if (loading.within.includes(name)) {
    const way = [...loading.within.slice(loading.within.indexOf(name)), name].join(' → ');
    return say(
      `blueprint ${quoted([name])} enters itself: ${way}`,
      'a loop within a blueprint can be bounded, this cannot',
    );
  }
  if (loading.within.length >= MAX_DEPTH) {
    return say(`blueprints enter each other more than ${MAX_DEPTH} deep`);
  }
  if (!loading.loaded.has(name)) {
    const source = NAME.test(name) ? loading.context.readBlueprint(name) : undefined;
    if (source === undefined) return say(`there is no blueprint ${quoted([name])}`);
    const child = load(source, { ...loading, within: [...loading.within, name] });
    if (child?.limits.steps !== undefined) {
      loading.notes.push(
        `limits.steps of blueprint "${name}" is not in force inside another: the run's own bounds all steps`,
      );
    }
    loading.loaded.set(name, child);
  }
  return loading.loaded.get(name);
}

/** How many blueprints a copy of this one holds; each place that uses one has its own copy once it is stored. */
function size(blueprint: Blueprint): number {
  return Object.values(blueprint.blueprints).reduce((sum, inner) => sum + size(inner), 1);
}

function readInputs(written: NonNullable<BlueprintFile['inputs']>): Record<string, BlueprintInput> {
  return Object.fromEntries(Object.entries(written).map(([name, input]) => [name, input ?? {}]));
}

/** `blueprints/minion.yaml` is `minion`. */
function nameOfFile(file: string): string | undefined {
  const name = /([^/\\]+?)(\.ya?ml)?$/.exec(file)?.[1];
  return name !== undefined && NAME.test(name) ? name : undefined;
}
