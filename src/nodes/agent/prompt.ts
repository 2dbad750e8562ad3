import { type AssembledPrompt, assemblePrompt } from '../../context/prompt.ts';
import type { StepContext } from '../../ports/node.ts';
import type { AgentFields } from './schema.ts';

/** What the node tells its agent: its prompt file, or the values that it was handed. */
export function promptOf(context: StepContext, { prompt }: AgentFields, resumed: boolean): AssembledPrompt {
  const template = prompt === undefined ? undefined : context.blueprint.prompts[prompt];
  const { run, step, task } = context;
  return assemblePrompt({
    ...(template === undefined ? {} : { template }),
    task,
    with: step.with,
    node: step.node,
    run: { id: run.id, slug: run.slug, base: run.base.ref, target: run.target, branch: `switchyard/${run.slug}` },
    resumed,
  });
}

/** For a session whose turn was cut off by a fault of the machine: it knows its task, but not what became of its last action. */
export function interruptedPrompt(prompt: string): string {
  return `You were interrupted in the middle of your work by a restart of the machine. What you had done so far may or may not be in the working directory: look first, then go on. This is what you were asked:\n\n${prompt}`;
}

/** For a session that the agent no longer has. */
export function lostSessionPrompt(prompt: string, summary: string): string {
  return `You have worked on this before, but your earlier conversation is lost. This is what happened until now:\n\n${summary}\n\nGo on from the present state of the working directory. This is what you are asked now:\n\n${prompt}`;
}
