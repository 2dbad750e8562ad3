import { z } from 'zod';
import { type Blueprint, type BlueprintNode, PARK } from '../domain/blueprint.ts';
import { LIMIT_NAMES, type Limits, WrittenLimits } from '../domain/limits.ts';
import { type NodeKindDescriptor, UNIVERSAL_OUTCOMES } from '../domain/node-kind.ts';
import { reachableEnds } from './ends.ts';
import { own } from './frames.ts';

const WIDEST_COLUMN = 72;
const WIDEST_VALUE = 48;

/**
 * A blueprint as text for a terminal: a line for each node, in the order in which a run can come to them, then the ends, then the
 * blueprints inside. With `kinds`, fields stand as people write them (`budget 5s`), else as they are stored. Free of colours and
 * of control characters, whatever the blueprint holds; ends in a newline.
 */
export function drawBlueprint(blueprint: Blueprint, kinds?: ReadonlyMap<string, NodeKindDescriptor>): string {
  const inner = Object.entries(blueprint.blueprints).map(([name, one]) => {
    const lines = drawBlueprint(one, kinds).trimEnd().split('\n');
    return ['', `inside ${name}:`, ...lines.map((line) => (line === '' ? '' : `  ${line}`))].join('\n');
  });
  return `${[...head(blueprint), '', ...nodeLines(blueprint, kinds), '', ...foot(blueprint), ...inner].join('\n')}\n`;
}

function head(blueprint: Blueprint): string[] {
  const inputs = Object.entries(blueprint.inputs).map(([name, input]) =>
    input.required ? `${name} (required)` : name,
  );
  return [
    blueprint.summary === undefined ? blueprint.name : `${blueprint.name}: ${plain(blueprint.summary)}`,
    ...labelled('limits', limitsText(blueprint.limits)),
    ...labelled('inputs', inputs),
    ...labelled('requires', blueprint.requires),
  ];
}

function labelled(label: string, words: readonly string[]): string[] {
  return words.length === 0 ? [] : [`${label}: ${plain(words.join(', '))}`];
}

function nodeLines(blueprint: Blueprint, kinds?: ReadonlyMap<string, NodeKindDescriptor>): string[] {
  const rows = inOrder(blueprint).map((node) => [node.name, description(node, kinds), edges(node)] as const);
  const nameWidth = Math.max(...rows.map(([name]) => name.length));
  const fitting = rows.map(([, text]) => text.length).filter((length) => length <= WIDEST_COLUMN);
  const textWidth = Math.max(0, ...fitting);
  return rows.map(([name, text, to]) => `${name.padEnd(nameWidth)}  ${text.padEnd(textWidth)}   ${to}`);
}

/** Breadth first from the start; main outcomes before others. */
function inOrder(blueprint: Blueprint): BlueprintNode[] {
  const names = new Set([blueprint.start]);
  const nodes: BlueprintNode[] = [];
  for (const name of names) {
    const node = own(blueprint.nodes, name);
    if (node === undefined) continue;
    nodes.push(node);
    for (const outcome of outcomesInOrder(node)) names.add(own(node.on, outcome) ?? PARK);
  }
  return nodes;
}

function outcomesInOrder(node: BlueprintNode): string[] {
  return [...new Set([...node.outcomes, ...UNIVERSAL_OUTCOMES, ...Object.keys(node.on)])];
}

/** Only own outcomes are shown parking: for the others that is what everybody expects. */
function edges(node: BlueprintNode): string {
  return outcomesInOrder(node)
    .map((outcome) => ({ outcome, to: own(node.on, outcome) ?? PARK }))
    .filter(({ outcome, to }) => to !== PARK || node.outcomes.includes(outcome))
    .map(({ outcome, to }) => `${outcome}→${to}`)
    .join(' ');
}

function description(node: BlueprintNode, kinds?: ReadonlyMap<string, NodeKindDescriptor>): string {
  const fields = asWritten(node, kinds?.get(node.kind));
  const others = Object.entries(fields).filter(([name]) => name !== node.kind);
  return [
    field(node.kind, own(fields, node.kind)),
    ...others.map(([name, value]) => field(name, value)),
    node.max === undefined ? '' : `max ${node.max}${node.per === undefined ? '' : ` per ${node.per}`}`,
    ...limitsText(node.limits ?? {}),
  ]
    .filter((text) => text !== '')
    .join(' ');
}

function asWritten(node: BlueprintNode, kind: NodeKindDescriptor | undefined): Record<string, unknown> {
  if (kind === undefined) return node.fields;
  try {
    return z.encode(kind.fields, node.fields);
  } catch {
    // A kind whose schema only goes one way: what is stored is then the best there is.
    return node.fields;
  }
}

function field(name: string, value: unknown): string {
  if (value === undefined || value === null || value === false) return '';
  return value === true ? name : `${name} ${shown(value)}`;
}

function shown(value: unknown): string {
  const text = Array.isArray(value)
    ? `[${value.map(shown).join(', ')}]`
    : plain(typeof value === 'string' ? value : JSON.stringify(value));
  return text.length > WIDEST_VALUE ? `${text.slice(0, WIDEST_VALUE - 1)}…` : text;
}

function limitsText(limits: Limits): string[] {
  const written: Record<string, unknown> = z.encode(WrittenLimits, limits);
  return LIMIT_NAMES.filter((name) => written[name] !== undefined).map((name) => `${name} ${String(written[name])}`);
}

function foot(blueprint: Blueprint): string[] {
  const ends = reachableEnds(blueprint).map((name) => {
    const as = blueprint.ends[name]?.as;
    return name === as ? name : `${name} (${as})`;
  });
  return [`ends: ${ends.join(', ')}`, 'An outcome that is not shown parks the run: it waits for a person.'];
}

/** One line without control characters, so that a file cannot write to the terminal. */
function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim();
}
