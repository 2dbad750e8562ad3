import { z } from 'zod';
import { defineNodeKind } from '../../domain/node-kind.ts';
import type { NodeKind, StepContext } from '../../ports/node.ts';
import { deliverBranch } from './branch.ts';
import { deliverMerge } from './merge.ts';

const Fields = z.object({
  deliver: z.enum(['branch', 'pull-request', 'merge']),
  /** Of the pull request's text. */
  template: z.string().optional(),
  /** The branch to merge to, in place of the run's target. */
  to: z.string().optional(),
  /** Whether a merge pushes its target. */
  push: z.boolean().optional(),
});
export type DeliverFields = z.output<typeof Fields>;

/** The run's output: a branch in the person's repository, or a merge into its target. */
export const deliverNode: NodeKind = {
  descriptor: defineNodeKind({
    kind: 'deliver',
    fields: Fields,
    outcomes: ({ deliver }) => (deliver === 'merge' ? ['merged'] : ['delivered']),
    universal: ['conflict', 'rejected', 'closed'],
    outputs: ['branch', 'commit', 'delivered'],
  }),
  mode: 'execute',
  agentic: false,
  // Of several that put themselves on top of the same branch at once, all but one would have to do it again.
  holds: ({ fields, target }) => {
    const { deliver, to = target } = fields as DeliverFields;
    return deliver === 'merge' && to !== null ? `branch ${to}` : undefined;
  },
  execute: (context: StepContext) =>
    (context.step.fields as DeliverFields).deliver === 'merge' ? deliverMerge(context) : deliverBranch(context),
};
