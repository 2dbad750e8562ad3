import { z } from 'zod';
import { defineNodeKind, type NodeKindDescriptor } from '../domain/node-kind.ts';
import { Duration } from '../domain/units.ts';
import type { LoadContext, LoadResult } from './load.ts';
import { loadBlueprint } from './load.ts';
import { formatProblem } from './problem.ts';

/** What the tests of this folder share: node kinds of every shape that the language has, and a short way to load a text. */

const OneOrMore = z.union([z.string(), z.array(z.string())]);

const agent = defineNodeKind({
  kind: 'agent',
  fields: z.object({
    agent: z.string(),
    prompt: z.string().optional(),
    tools: z.array(z.string()).optional(),
    session: z
      .string()
      .regex(/^(new|resume \S+|fork \S+)$/, 'write new, resume NODE or fork NODE')
      .optional(),
    'done-when': OneOrMore.optional(),
  }),
  outcomes: ['done', 'unchanged'],
  outputs: ['summary'],
  references: ({ agent: name, prompt, session, 'done-when': checks }) => ({
    agents: [name],
    prompts: prompt === undefined ? [] : [prompt],
    peers: session === undefined || session === 'new' ? [] : session.split(' ').slice(1),
    checks: checks === undefined ? [] : [checks].flat(),
  }),
});

const check = defineNodeKind({
  kind: 'check',
  fields: z.object({
    check: OneOrMore,
    changed: z.boolean().optional(),
    fix: z.boolean().optional(),
    budget: Duration.optional(),
    select: z.string().optional(),
    from: z.literal('forge').optional(),
  }),
  outcomes: ['pass', 'fixed', 'fail', 'missing'],
  outputs: ['report'],
  references: (fields) => ({ checks: [fields.check].flat() }),
});

const approval = defineNodeKind({
  kind: 'approval',
  fields: z.object({ approval: z.string(), choices: z.array(z.string()).optional(), ask: z.string().optional() }),
  outcomes: ({ choices }) => choices ?? ['approved', 'changes', 'abandoned'],
  outputs: ['feedback'],
  references: ({ ask }) => ({ prompts: ask === undefined ? [] : [ask] }),
});

const others: readonly NodeKindDescriptor[] = [
  {
    kind: 'command',
    fields: z.object({ command: z.string(), budget: Duration.optional() }),
    outcomes: ['pass', 'fail'],
    outputs: ['report'],
  },
  { kind: 'commit', fields: z.object({ commit: z.string() }), outcomes: ['done', 'unchanged'], outputs: ['commit'] },
  defineNodeKind({
    kind: 'reset',
    fields: z.object({ reset: z.string() }),
    outcomes: ['done', 'unchanged'],
    outputs: [],
    references: ({ reset }) => ({ nodes: [reset] }),
  }),
  {
    kind: 'deliver',
    fields: z.object({
      deliver: z.enum(['branch', 'pull-request', 'merge', 'merge-queue']),
      template: z.string().optional(),
    }),
    outcomes: ({ deliver }) => [String(deliver).startsWith('merge') ? 'merged' : 'delivered'],
    universal: ['conflict', 'rejected', 'closed'],
    outputs: ['url'],
  },
  defineNodeKind({
    kind: 'blueprint',
    fields: z.object({ blueprint: z.string() }),
    outcomes: [],
    outputs: [],
    references: ({ blueprint }) => ({ blueprints: [blueprint] }),
  }),
];

export const KINDS: ReadonlyMap<string, NodeKindDescriptor> = new Map(
  [agent, check, approval, ...others].map((kind) => [kind.kind, kind]),
);

/** What a test loads against; files are named as blueprints and prompts are. */
export interface Surroundings {
  readonly prompts?: Readonly<Record<string, string>>;
  readonly blueprints?: Readonly<Record<string, string>>;
  readonly agents?: readonly string[];
  readonly checks?: LoadContext['checks'];
}

export function load(text: string, { prompts = {}, blueprints = {}, agents, checks }: Surroundings = {}): LoadResult {
  const context: LoadContext = {
    kinds: KINDS,
    ...(agents && { agents }),
    ...(checks && { checks }),
    readPrompt: (name) => (Object.hasOwn(prompts, name) ? prompts[name] : undefined),
    readBlueprint: (name) =>
      Object.hasOwn(blueprints, name) ? { file: `${name}.yaml`, text: String(blueprints[name]) } : undefined,
  };
  return loadBlueprint({ file: 'test.yaml', text }, context);
}

/** The blueprint of a text that has to be right. */
export function loaded(text: string, surroundings?: Surroundings) {
  const result = load(text, surroundings);
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join('\n'));
  return result.blueprint;
}

/** The problems of a text, each as `line: message`; empty when it is right. */
export function problems(text: string, surroundings?: Surroundings): string[] {
  const result = load(text, surroundings);
  return result.ok ? [] : result.problems.map(({ line, message }) => `${line}: ${message}`);
}

/** `nodes` of commands, whose outcomes are `pass` and `fail`, as a whole blueprint that starts at the first. */
export function commands(nodes: Readonly<Record<string, string>>): string {
  const lines = Object.entries(nodes).map(([name, rest]) => `  ${name}: { command: "true", ${rest} }`);
  return [`start: ${Object.keys(nodes)[0]}`, 'nodes:', ...lines].join('\n');
}
