import type { StepContext } from '../../ports/node.ts';
import type { Conversation } from './turns.ts';

/** Commits to the run's branch what the agent has left in the workspace; `finished` is what the agent says of it. */
export async function takeIn({ context, workspace }: Conversation, finished: boolean): Promise<void> {
  const collected = await workspace.collect(context.commitText(commitMessage(context, finished)));
  for (const note of collected.notes) await context.say('warning', note);
}

/** Whether all that the step has taken in comes to anything new. */
export function hasChanged({ context, workspace }: Conversation): boolean {
  return workspace.head !== (context.step.stoodOn ?? context.run.head);
}

function commitMessage({ task, step }: StepContext, finished: boolean): string {
  const which = step.n === 1 && !step.node.includes('fix') ? '' : ` (${step.node})`;
  return `${task.title}${which}${finished ? '' : ' (unfinished)'}`;
}
