import { z } from 'zod';
import { BlueprintInput, EndState, NAME, VALUE_NAME } from '../domain/blueprint.ts';
import { InnerFolder } from '../domain/inner-folder.ts';
import { WrittenLimits } from '../domain/limits.ts';

/**
 * What people write: the fields of a blueprint file, those that every node has, and an end. A node's remaining fields belong to
 * its kind. The loader and the JSON schema for editors both come from here.
 */

const Name = z
  .string()
  .regex(NAME, 'a name starts with a small letter and goes on with small letters, digits and hyphens')
  .describe('A name: small letters, digits, hyphens');

const ValueName = z.string().regex(VALUE_NAME, 'a name starts with a letter and goes on with letters, digits, - and _');

const Edges = z.record(z.string(), z.string()).describe('Where each outcome leads: a node, an end, or park');

const Values = z
  .record(ValueName, z.unknown())
  .describe('Values by name: literals, $node.output or $inputs.name; $$ for a dollar sign at the front');

export const BlueprintFile = z.strictObject({
  name: Name.describe('The name of the blueprint; without it, the name of its file').optional(),
  summary: z.string().describe('One or two sentences for people who choose a blueprint').optional(),
  inputs: z
    .record(ValueName, z.strictObject(BlueprintInput.shape).nullable())
    .describe('What a run may be given, usable as $inputs.name')
    .optional(),
  limits: WrittenLimits.optional(),
  workspace: z
    .strictObject({
      network: z.array(z.string()).describe('What the sandbox may reach: model, packages, host names').optional(),
      setup: z.string().describe('auto, none, or a command that makes the workspace ready').optional(),
      carry: z.array(z.string()).describe('Ignored files that checkpoints keep').optional(),
      sparse: z.array(InnerFolder).min(1).describe('The only folders that the workspace has').optional(),
    })
    .optional(),
  requires: z
    .array(z.string())
    .describe('Refuses a run before any agent starts: check (any at all), kinds of check, or checks by name')
    .optional(),
  start: z.string().describe('The first node'),
  on: Edges.describe('Where an outcome leads on every node that says nothing else about it').optional(),
  nodes: z.record(z.string(), z.unknown()).describe('The nodes and further ends by name'),
});
export type BlueprintFile = z.infer<typeof BlueprintFile>;

export const CommonFields = z.strictObject({
  max: z.int().positive().describe('The most steps of this node in a run').optional(),
  per: z.string().describe('The count of max starts again each time this node is entered').optional(),
  next: z.string().describe("Where the kind's main outcome leads").optional(),
  on: Edges.optional(),
  with: Values.optional(),
  limits: WrittenLimits.omit({ steps: true }).describe('Bounds of one step of this node').optional(),
});
export type CommonFields = z.infer<typeof CommonFields>;

export const EndFile = z.strictObject({
  end: EndState.describe('How the run ends here'),
  outputs: Values.optional(),
});
