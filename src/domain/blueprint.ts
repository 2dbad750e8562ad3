import { z } from 'zod';
import { Limits } from './limits.ts';

/**
 * A blueprint as it is stored in a run's row: plain JSON in which everything that it names has been resolved and copied, so
 * that a run never looks at a file again. What people write is read by `blueprint/load.ts`.
 */

/** Names of blueprints, nodes, ends and outcomes. */
export const NAME = /^[a-z][a-z0-9-]*$/;
/** Names of inputs, outputs and values in `with`, which prompts show as `{{name}}`. */
export const VALUE_NAME = /^[A-Za-z][A-Za-z0-9_-]*$/;

/** The edge target that hands the run to a person. */
export const PARK = 'park';

/** A value handed to a node: as it stands, an output of a node (`$lint.report`), or an input of the blueprint (`$inputs.plan`). */
export const WithValue = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('literal'), value: z.unknown() }),
  z.object({ kind: z.literal('output'), node: z.string(), output: z.string() }),
  z.object({ kind: z.literal('input'), input: z.string() }),
]);
export type WithValue = z.infer<typeof WithValue>;

export const EndState = z.enum(['succeeded', 'failed', 'abandoned']);
export type EndState = z.infer<typeof EndState>;

export const BlueprintEnd = z.object({ as: EndState, outputs: z.record(z.string(), WithValue) });
export type BlueprintEnd = z.infer<typeof BlueprintEnd>;

/** The ends that every blueprint has. */
export const READY_MADE_ENDS: Readonly<Record<string, BlueprintEnd>> = {
  done: { as: 'succeeded', outputs: {} },
  failed: { as: 'failed', outputs: {} },
  abandoned: { as: 'abandoned', outputs: {} },
};

export const BlueprintNode = z.object({
  name: z.string(),
  kind: z.string(),
  /** As the kind's schema put them out. */
  fields: z.record(z.string(), z.unknown()),
  /** The most steps of this node in a run, or since `per` was last entered. */
  max: z.int().positive().optional(),
  per: z.string().optional(),
  /** Every outcome that the node can have, universal ones included, to a node, an end or `park`. */
  on: z.record(z.string(), z.string()),
  with: z.record(z.string(), WithValue),
  /** The kind's own outcomes in order; the first is the main one. */
  outcomes: z.array(z.string()),
  limits: Limits.optional(),
});
export type BlueprintNode = z.infer<typeof BlueprintNode>;

export const BlueprintInput = z.object({
  default: z.unknown().optional(),
  description: z.string().optional(),
  required: z.boolean().optional(),
});
export type BlueprintInput = z.infer<typeof BlueprintInput>;

export const BlueprintWorkspace = z.object({
  /** What the sandbox may reach: `model`, `packages`, host names. */
  network: z.array(z.string()).optional(),
  setup: z.string().optional(),
  /** The only folders that the workspace has. */
  sparse: z.array(z.string()).optional(),
  /** Ignored files that checkpoints keep. */
  carry: z.array(z.string()).optional(),
});
export type BlueprintWorkspace = z.infer<typeof BlueprintWorkspace>;

export const Blueprint = z.object({
  name: z.string(),
  summary: z.string().optional(),
  inputs: z.record(z.string(), BlueprintInput),
  limits: Limits,
  workspace: BlueprintWorkspace,
  /** `check` (any at all), kinds of check, or checks without which no agent is started. */
  requires: z.array(z.string()),
  start: z.string(),
  nodes: z.record(z.string(), BlueprintNode),
  ends: z.record(z.string(), BlueprintEnd),
  /** The text of each prompt file that a node names. */
  prompts: z.record(z.string(), z.string()),
  /** The blueprints that nodes name, by that name. */
  get blueprints(): z.ZodRecord<z.ZodString, typeof Blueprint> {
    return z.record(z.string(), Blueprint);
  },
});
export type Blueprint = z.infer<typeof Blueprint>;

/** What is wrong with the inputs that a run of this blueprint is to start with; both empty when nothing is. */
export function checkInputs(
  blueprint: Blueprint,
  given: Readonly<Record<string, unknown>>,
): { missing: string[]; unknown: string[] } {
  const has = (name: string) => Object.hasOwn(given, name) && given[name] !== undefined;
  const missing = Object.entries(blueprint.inputs).filter(([name, input]) => input.required === true && !has(name));
  return {
    missing: missing.map(([name]) => name),
    unknown: Object.keys(given).filter((name) => !Object.hasOwn(blueprint.inputs, name)),
  };
}
