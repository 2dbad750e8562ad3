import type { StepContext, StepResult } from '../../ports/node.ts';
import type { DeliverFields } from './index.ts';
import { putOnOwnBranch } from './own-branch.ts';

/** Puts the head on the run's branch in the person's repository. A branch that somebody else has moved is left alone. */
export async function deliverBranch(context: StepContext): Promise<StepResult> {
  const { run } = context;
  if (run.head === run.base.commit)
    await context.say('warning', 'The run has changed nothing: the branch stands on its base.');
  const published = await putOnOwnBranch(context);
  const { branch } = published;
  if (published.kind === 'moved') {
    return {
      kind: 'outcome',
      outcome: 'conflict',
      detail: `${branch} is at ${published.actual?.slice(0, 12) ?? 'nothing'} in the repository: somebody else has moved it, and what they did there is left as it is. To have the run's work on a branch of another name, where you can merge both: \`switchyard checkout ${run.slug} --branch NAME\`. Or give theirs another name (\`git branch -m ${branch} NAME\`): a retry then makes the branch anew.`,
      park: { code: 'deliver/branch-moved', needs: 'conflict' },
    };
  }
  const asked = (context.step.fields as DeliverFields).deliver;
  if (asked === 'pull-request')
    await context.say('info', 'There is no forge here: in place of a pull request a branch was delivered.');
  return {
    kind: 'outcome',
    outcome: 'delivered',
    outputs: { branch, commit: run.head, delivered: run.head },
    detail: `branch ${branch}`,
  };
}
