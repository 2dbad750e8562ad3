import type { AgentEvent } from '../../ports/agent.ts';
import type { StepMeter } from '../../ports/agent-model.ts';
import type { StepContext } from '../../ports/node.ts';

/** Puts what an agent does into the run's journal, and counts what it uses. */
export async function tellEvent(
  context: StepContext,
  { agent, goesOnFor, meter }: { agent: string; goesOnFor?: string | undefined; meter?: StepMeter | undefined },
  event: AgentEvent,
): Promise<void> {
  const { node, n } = context.step;
  switch (event.kind) {
    case 'session':
      await context.agents.remember({ agent, id: event.id, goesOnFor });
      await context.emit({ kind: 'agent.session', node, n, agent, session: event.id });
      return;
    case 'text':
      await context.emit({ kind: 'agent.text', node, n, text: event.text });
      return;
    case 'tool-started':
      await context.agents.count({ turns: 1 });
      await context.emit({
        kind: 'agent.tool',
        node,
        n,
        call: event.call,
        phase: 'started',
        name: event.name,
        input: event.input,
      });
      return;
    case 'tool-ended':
      await context.emit({
        kind: 'agent.tool',
        node,
        n,
        call: event.call,
        phase: 'ended',
        name: event.name,
        output: event.output,
        ok: event.ok,
      });
      return;
    case 'usage':
      // What has been counted on its way is told and counted there.
      if (meter !== undefined) return meter.reported(event.usage);
      await context.agents.count({ usage: event.usage });
      await context.emit({ kind: 'agent.usage', node, n, usage: event.usage });
      return;
    case 'warning':
      await context.say('warning', event.text);
      return;
    case 'end':
      await context.agents.count({ turns: 1 });
      return;
  }
}
