import { z } from 'zod';
import { renderTemplate } from '../../context/template.ts';
import { defineNodeKind } from '../../domain/node-kind.ts';
import type { NodeKind } from '../../ports/node.ts';

const Fields = z.object({
  /** Who is asked: `reviewer`, `requester`, or a name. */
  approval: z.string(),
  /** In place of approved, changes, abandoned. */
  choices: z
    .array(z.string().regex(/^[a-z][a-z0-9-]*$/))
    .min(1)
    .optional(),
  /** A prompt file with what the person is asked. */
  ask: z.string().optional(),
});
type Fields = z.output<typeof Fields>;

const CHOICES: readonly string[] = ['approved', 'changes', 'abandoned'];

/** Waits for a person's word on the exact head. Nothing runs and nothing is held meanwhile. */
export const approvalNode: NodeKind = {
  descriptor: defineNodeKind({
    kind: 'approval',
    fields: Fields,
    outcomes: ({ choices }) => choices ?? CHOICES,
    outputs: ['feedback', 'choice', 'by'],
    references: ({ ask }) => ({ prompts: ask === undefined ? [] : [ask] }),
  }),
  mode: 'wait',
  needs({ fields, with: given, head, blueprint, task }) {
    const { choices, ask } = fields as Fields;
    const text = ask === undefined ? undefined : blueprint.prompts[ask];
    return {
      kind: 'approval',
      choices: [...(choices ?? CHOICES)],
      head,
      ...(text === undefined ? {} : { ask: renderTemplate(text, { task, with: given, ...given }).trim() }),
    };
  },
};
