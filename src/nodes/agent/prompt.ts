import { fenced } from '../../context/fence.ts';
import { type AssembledPrompt, assemblePrompt } from '../../context/prompt.ts';
import type { PersonsMessage, StepContext } from '../../ports/node.ts';
import { presentValues } from './earlier-state.ts';
import type { AgentFields } from './schema.ts';

/** What the node tells its agent: its prompt file, or the values that it was handed. */
export async function promptOf(
  context: StepContext,
  { prompt }: AgentFields,
  resumed: boolean,
): Promise<AssembledPrompt> {
  const template = prompt === undefined ? undefined : context.blueprint.prompts[prompt];
  const { run, step, task } = context;
  return assemblePrompt({
    ...(template === undefined ? {} : { template }),
    task,
    with: await presentValues(context),
    node: step.node,
    run: { id: run.id, slug: run.slug, base: run.base.ref, target: run.target, branch: `switchyard/${run.slug}` },
    resumed,
  });
}

/** For a session whose turn was cut off by a fault of the machine: it knows its task, but not what became of its last action. */
export function interruptedPrompt(prompt: string): string {
  return `You were interrupted in the middle of your work by a restart of the machine. What you had done so far may or may not be in the working directory: look first, then go on. This is what you were asked:\n\n${prompt}`;
}

/** For a session whose turn was ended by something that has nothing to do with the work. */
export function cutOffPrompt(prompt: string, why: 'failure' | 'silence'): string {
  const what = why === 'failure' ? 'an error of the connection to the model' : 'its long silence';
  return `Your last turn was cut off because of ${what}. What you had done so far is in the working directory: go on from there. This is what you were asked:\n\n${prompt}`;
}

/** For an agent that says that it has finished while checks say otherwise. */
export function redChecksPrompt(report: string): string {
  return `You said that you had finished, but checks fail on what you left. Mend the cause; do not weaken, skip or delete a test, a check or a rule to get past it. This is what they say:\n\n${fenced(report)}\n`;
}

/** What persons have said, each by name, in order. */
export function personsPrompt(
  messages: readonly PersonsMessage[],
  { wasInterrupted = false }: { wasInterrupted?: boolean } = {},
): string {
  const stopped = wasInterrupted
    ? 'You were stopped in the middle of your turn, for something that cannot wait. What you had done so far is in the working directory.\n\n'
    : '';
  const said = messages.map(
    ({ from, text, again }) => `${from} says${again ? ' (you may have been told this before)' : ''}:\n\n${text.trim()}`,
  );
  return `${stopped}${said.join('\n\n')}\n`;
}

/** For an agent that takes the place of another one. */
export function handedOverPrompt(prompt: string, summary: string): string {
  return `Another agent has worked on this before you. This is what happened until now:\n\n${summary}\n\nGo on from the present state of the working directory. This is what you are asked:\n\n${prompt}`;
}

/** For a session that the agent no longer has. */
export function lostSessionPrompt(prompt: string, summary: string): string {
  return `You have worked on this before, but your earlier conversation is lost. This is what happened until now:\n\n${summary}\n\nGo on from the present state of the working directory. This is what you are asked now:\n\n${prompt}`;
}
