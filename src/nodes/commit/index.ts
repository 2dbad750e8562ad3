import { z } from 'zod';
import { commitMessage } from '../../context/messages.ts';
import { defineNodeKind } from '../../domain/node-kind.ts';
import type { NodeKind, StepContext, StepResult } from '../../ports/node.ts';

const Fields = z.object({
  /** The message, with `{{task.title}}` and values of `with`. */
  commit: z.string().min(1),
});
type Fields = z.output<typeof Fields>;

/** Makes one commit, with a message of its own, of all that the run has done since this node's last commit. */
export const commitNode: NodeKind = {
  descriptor: defineNodeKind({ kind: 'commit', fields: Fields, outcomes: ['done', 'unchanged'], outputs: ['commit'] }),
  mode: 'execute',
  agentic: false,
  execute,
};

async function execute(context: StepContext): Promise<StepResult> {
  const { commit: template } = context.step.fields as Fields;
  const { git, run, step, task } = context;
  const last = await context.headAfter(step.node);
  const onto =
    last !== undefined && (await git.isAncestor(last, run.head))
      ? last
      : ((await git.mergeBase(run.base.commit, run.head)) ?? run.base.commit);
  if (onto === run.head) return { kind: 'outcome', outcome: 'unchanged', outputs: { commit: run.head } };
  const message = commitMessage(template, {
    task,
    with: step.with,
    node: step.node,
    run: { id: run.id, slug: run.slug },
  });
  const commit = await git.squash({ onto, head: run.head, text: context.commitText(message) });
  const workspace = await context.workspace();
  await workspace.reset(commit);
  return { kind: 'outcome', outcome: 'done', outputs: { commit } };
}
