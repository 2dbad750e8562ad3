import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { StepContext, StepResult } from '../../ports/node.ts';
import { converse } from './conversation.ts';
import { planStep } from './plan.ts';
import { resultOf } from './result.ts';
import type { AgentFields } from './schema.ts';
import { takeIn } from './take-in.ts';

/** The turns of the node's agent; everything that they leave in the workspace is taken in, however the last one ended. */
export async function execute(context: StepContext): Promise<StepResult> {
  const { agent, first } = await planStep(context, context.step.fields as AgentFields);
  const workspace = await context.workspace();
  const home = join(workspace.homes, agent.name);
  await mkdir(home, { recursive: true, mode: 0o700 });
  await using ready = new AsyncDisposableStack();
  const onEnding = () => void ready.use(workspace.prepare?.());
  const conversation = { context, agent, workspace, home, onEnding };
  const turns = await converse(conversation, first);
  const { report } = turns.at(-1) ?? turns[0];

  if (context.limits.cost !== undefined && report.usage.cost === null) {
    const { max } = context.limits.cost;
    await context.sayOnce(
      'cost-unknown',
      `The cost limit of ${max} USD is not in force: ${agent.name} reports no price.`,
    );
  }
  await takeIn(conversation, report.result.kind === 'done');
  if (context.signal.aborted) throw context.signal.reason;
  return resultOf(conversation, turns);
}
