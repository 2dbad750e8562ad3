import type { AgentTurn } from '../../ports/agent.ts';
import type { AgentSession, PersonsMessage, StepContext } from '../../ports/node.ts';
import { handedOverPrompt, interruptedPrompt, lostSessionPrompt, personsPrompt, promptOf } from './prompt.ts';
import type { AgentFields } from './schema.ts';
import { sibling } from './sibling.ts';
import type { Agent, Saying } from './turns.ts';

/** Which agent works on the step, and what it is told first, in which session. */
export async function planStep(
  context: StepContext,
  fields: AgentFields,
): Promise<{ readonly agent: Agent; readonly first: Saying }> {
  const interrupted = await context.agents.interrupted();
  const { mode, earlier } = await sessionToGoOnWith(context, fields);
  const name = fields.agent === 'same' ? (earlier?.agent ?? 'default') : fields.agent;
  const agent = context.agents.resolve(name);
  const { session, goesOnFor } = sessionOf(mode, earlier, agent.name);
  const messages = await context.messages.take();
  const prompt = await asked(context, fields, { messages, earlier, session });
  if (interrupted !== undefined && interrupted.agent === agent.name) {
    const resumed = { kind: 'resume', id: interrupted.id } as const;
    return { agent, first: { why: 'task', prompt: interruptedPrompt(prompt), session: resumed } };
  }
  return { agent, first: { why: 'task', prompt, session, goesOnFor } };
}

/** A step that a person's message has made goes on with its own node's session, whatever the blueprint says of that. */
async function sessionToGoOnWith(
  context: StepContext,
  fields: AgentFields,
): Promise<{ mode: string | undefined; earlier: AgentSession | undefined }> {
  const { agents, step } = context;
  const own = step.followUp ? await agents.session(step.node) : undefined;
  if (own !== undefined) return { mode: 'resume', earlier: own };
  const [mode, node] = (fields.session ?? 'new').split(' ');
  return { mode, earlier: node === undefined ? undefined : await agents.session(sibling(context, node)) };
}

interface Known {
  readonly messages: readonly PersonsMessage[];
  readonly earlier: AgentSession | undefined;
  readonly session: AgentTurn['session'];
}

/** The node's own task, what persons have said, or both; with a summary for an agent that should know more than it does. */
async function asked(
  context: StepContext,
  fields: AgentFields,
  { messages, earlier, session }: Known,
): Promise<string> {
  const isKnown = session.kind !== 'new';
  const said = messages.length === 0 ? '' : personsPrompt(messages);
  if (context.step.followUp && isKnown && said !== '') return said;
  const { text, notes } = await promptOf(context, fields, isKnown);
  for (const note of notes) await context.say('warning', note);
  const prompt = said === '' ? text : `${text}\n${said}`;
  if (isKnown) return prompt;
  if (earlier !== undefined && (earlier.standing === 'handed-over' || context.step.followUp))
    return handedOverPrompt(prompt, await context.summary());
  return context.step.followUp ? lostSessionPrompt(prompt, await context.summary()) : prompt;
}

function sessionOf(
  mode: string | undefined,
  earlier: AgentSession | undefined,
  agent: string,
): Pick<Saying, 'session' | 'goesOnFor'> {
  const isOurs = earlier !== undefined && earlier.agent === agent && earlier.standing !== 'handed-over';
  if (!isOurs || (mode !== 'resume' && mode !== 'fork')) return { session: { kind: 'new' } };
  // What another run may go on with as well is never resumed itself.
  if (mode === 'resume' && earlier.standing === 'inherited')
    return { session: { kind: 'fork', id: earlier.id }, goesOnFor: earlier.id };
  return { session: { kind: mode, id: earlier.id } };
}
