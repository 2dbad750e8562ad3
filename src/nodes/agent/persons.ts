import type { AgentTurn } from '../../ports/agent.ts';
import { lostSessionPrompt, personsPrompt } from './prompt.ts';
import { askedLast, type Conversation, type Saying, sessionAfter, type Turn, type Turns } from './turns.ts';

/** Somebody has said something meanwhile: the agent is told when its turn has ended, or when it was interrupted for that. */
export async function fromPersons({ context }: Conversation, turns: Turns): Promise<Saying | undefined> {
  const last = turns.at(-1) ?? turns[0];
  const wasInterrupted = last.report.result.kind === 'cancelled';
  if (last.report.result.kind !== 'done' && !wasInterrupted) return undefined;
  const taken = await context.messages.take();
  // What a turn was told and has not heard is a part of what is repeated here.
  const messages = hasHeard(last) ? taken : taken.filter(({ again }) => !again);
  if (messages.length === 0) return wasInterrupted ? { ...askedLast(turns), ...inSession(last) } : undefined;
  if (wasInterrupted && !last.report.answered) {
    const prompt = `${last.saying.prompt.trimEnd()}\n\n${personsPrompt(messages)}`;
    return { ...last.saying, why: 'person', prompt, ...inSession(last) };
  }
  const prompt = personsPrompt(messages, { wasInterrupted });
  const session = sessionAfter(last);
  if (session !== undefined) return { why: 'person', prompt, session: { kind: 'resume', id: session } };
  // An agent without sessions remembers nothing: it is asked again, with what was said.
  const asked = `${askedLast(turns).prompt}\n\n${prompt}`;
  return { why: 'person', prompt: lostSessionPrompt(asked, await context.summary()), session: { kind: 'new' } };
}

function inSession(last: Turn): { session?: AgentTurn['session'] } {
  const id = sessionAfter(last);
  return id === undefined ? {} : { session: { kind: 'resume', id } };
}

/** Whether the agent has what its turn was told: the turn came to its end, or was interrupted when the agent had begun to answer. */
export function hasHeard({ saying, report }: Turn): boolean {
  const { kind } = report.result;
  if (kind === 'cancelled') return report.answered && sessionAfter({ saying, report }) !== undefined;
  return kind === 'done';
}
