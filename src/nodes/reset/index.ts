import { z } from 'zod';
import { defineNodeKind } from '../../domain/node-kind.ts';
import type { NodeKind, StepContext, StepResult } from '../../ports/node.ts';

const Fields = z.object({
  /** The node after whose latest step the run stood where it is to stand again. */
  reset: z.string(),
});
type Fields = z.output<typeof Fields>;

/** Goes back to the commit after a node's latest step, or to the base when that has had none. What is left behind is kept aside. */
export const resetNode: NodeKind = {
  descriptor: defineNodeKind({
    kind: 'reset',
    fields: Fields,
    outcomes: ['done', 'unchanged'],
    outputs: [],
    references: ({ reset }) => ({ nodes: [reset] }),
  }),
  mode: 'execute',
  agentic: false,
  execute,
};

async function execute(context: StepContext): Promise<StepResult> {
  const { reset } = context.step.fields as Fields;
  const inner = context.step.node.split('/').slice(0, -1);
  const commit = (await context.headAfter([...inner, reset].join('/'))) ?? context.run.base.commit;
  if (commit === context.run.head) return { kind: 'outcome', outcome: 'unchanged' };
  await context.git.salvage(context.run.head, `${context.step.node.replaceAll('/', '-')}-${context.step.n}`);
  const workspace = await context.workspace();
  await workspace.reset(commit);
  return { kind: 'outcome', outcome: 'done', detail: `Back to ${commit.slice(0, 12)}, after ${reset}.` };
}
