import { taskSoFar, untilChecksPass } from './done-when.ts';
import { fromPersons } from './persons.ts';
import { lostSessionPrompt } from './prompt.ts';
import { afterFailure, afterSilence } from './try-again.ts';
import type { Conversation, Saying, Turns } from './turns.ts';

/** A reason for one more turn: what is said to the agent, or undefined where this reason does not apply. */
type Reason = (conversation: Conversation, turns: Turns) => Promise<Saying | undefined>;

const REASONS: readonly Reason[] = [lostSession, afterFailure, afterSilence, fromPersons, untilChecksPass];

/** What is said to the agent after these turns; undefined when the step's conversation is over. The first reason counts. */
export async function nextTurn(conversation: Conversation, turns: Turns): Promise<Saying | undefined> {
  for (const reason of REASONS) {
    if (conversation.context.signal.aborted) return undefined;
    const saying = await reason(conversation, turns);
    if (saying !== undefined) return saying;
  }
  return undefined;
}

/** The agent no longer has the conversation that it was to go on with. */
async function lostSession(conversation: Conversation, turns: Turns): Promise<Saying | undefined> {
  const { context, agent } = conversation;
  const { report, saying } = turns.at(-1) ?? turns[0];
  const { result } = report;
  const isLost = result.kind === 'failed' && result.failure.class === 'unknown-session';
  if (!isLost || saying.session.kind === 'new') return undefined;
  await context.say(
    'warning',
    `${agent.name} no longer knows its session; a new one was begun with a summary of what was done.`,
  );
  const prompt = lostSessionPrompt(saying.prompt, await taskSoFar(conversation));
  return { why: 'lost-session', prompt, session: { kind: 'new' } };
}
