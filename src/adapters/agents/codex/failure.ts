import type { AgentFailure, AgentResult, AgentTurn } from '../../../ports/agent.ts';
import { endedWithoutWord } from '../../../ports/agent-event-lines.ts';
import { agentFailure, wrongAddressHint } from '../../../ports/agent-failure.ts';
import { findRollout } from './rollout.ts';

/** Codex tells why a turn failed in prose only. The first pattern that fits names the class; none fitting is no harm. */
const PATTERNS: readonly (readonly [RegExp, AgentFailure['class']])[] = [
  [/status:? 40[13]\b|invalid_api_key|missing environment variable|not logged in|refresh token/i, 'auth'],
  [/quota|usage limit|billing|credits|status:? 402\b/i, 'quota'],
  [/status:? 429\b|rate limit|too many requests/i, 'rate-limit'],
  [/status:? 5\d\d\b|high demand|connection failed|error sending request|stream disconnected|timed? ?out/i, 'network'],
  [/content.?filter|policy violation|invalid_prompt|flagged/i, 'refused'],
];

export function failureOf(message: string, turn: AgentTurn): AgentFailure {
  const found = PATTERNS.find(([pattern]) => pattern.test(message))?.[1] ?? 'unknown';
  const hint = /status:? 404\b/.test(message) ? wrongAddressHint(turn) : undefined;
  return agentFailure(turn, found, plain(message), hint);
}

/** The result of a codex that ended before its turn did. A thread to resume that has no file is the usual reason before a start. */
export function endedEarly(
  turn: AgentTurn,
  exit: { code: number | null; signal: string | null; stderr: string },
  hasStarted: boolean,
): AgentResult {
  const { session } = turn;
  if (hasStarted || session.kind === 'new' || findRollout(turn.home, session.id) !== undefined)
    return endedWithoutWord(exit);
  return {
    kind: 'failed',
    failure: agentFailure(turn, 'unknown-session', `it does not know the session ${session.id}`),
  };
}

/** The text within, where the server's whole answer was passed on. */
function plain(message: string): string {
  try {
    const answer = JSON.parse(message) as { error?: { message?: unknown } };
    return typeof answer.error?.message === 'string' ? answer.error.message : message;
  } catch {
    return message;
  }
}
