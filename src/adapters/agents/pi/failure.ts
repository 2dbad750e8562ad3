import type { AgentFailure, AgentTurn } from '../../../ports/agent.ts';
import { jsonLine } from '../../../ports/agent-event-lines.ts';
import { agentFailure, classOfStatus, wrongAddressHint } from '../../../ports/agent-failure.ts';

/** Pi passes a server's words on. The first pattern that fits names the class; none fitting is no harm. */
const PATTERNS: readonly (readonly [RegExp, AgentFailure['class']])[] = [
  [/quota|usage limit|billing|credit balance|insufficient.?(credits|funds)/i, 'quota'],
  [/no api key|not logged in|\/login|authentication/i, 'auth'],
  [/content.?filter|policy violation|(?<!connection )\brefus(ed|al)|flagged/i, 'refused'],
];

const UNREACHED = /connection|fetch failed|terminated|stream ended|timed? ?out|overloaded|socket|ECONN/i;

export function failureOf(message: string, turn: AgentTurn): AgentFailure {
  const status = Number(/^(\d{3})\b|\((\d{3})\)/.exec(message)?.slice(1).find(Boolean) ?? 0);
  const found =
    PATTERNS.find(([pattern]) => pattern.test(message))?.[1] ??
    classOfStatus(status) ??
    (UNREACHED.test(message) ? 'network' : 'unknown');
  return agentFailure(turn, found, plain(message), status === 404 ? wrongAddressHint(turn) : undefined);
}

/** The text within, where the server's whole answer was passed on. */
function plain(message: string): string {
  const start = message.indexOf('{');
  const answer =
    start < 0 ? undefined : (jsonLine(message.slice(start)) as { message?: unknown; error?: { message?: unknown } });
  const inner = answer?.message ?? answer?.error?.message;
  return typeof inner === 'string' ? `${message.slice(0, start)}${inner}` : message;
}
