import type { AgentFailure, AgentResult, AgentTurn } from '../../../ports/agent.ts';
import { endedWithoutWord } from '../../../ports/agent-event-lines.ts';
import { findRollout } from './rollout.ts';

/** Codex tells why a turn failed in prose only. The first pattern that fits names the class; none fitting is no harm. */
const PATTERNS: readonly (readonly [RegExp, AgentFailure['class']])[] = [
  [/status:? 40[13]\b|missing environment variable|not logged in|refresh token/i, 'auth'],
  [/quota|usage limit|billing|credits|status:? 402\b/i, 'quota'],
  [/status:? 429\b|rate limit|too many requests/i, 'rate-limit'],
  [/status:? 5\d\d\b|high demand|connection failed|error sending request|stream disconnected|timed? ?out/i, 'network'],
  [/content.?filter|policy violation|invalid_prompt|flagged/i, 'refused'],
];

const HINTS: Record<AgentFailure['class'], string> = {
  auth: 'The model’s server refused the key or login that config.yaml names for codex: check it, then retry.',
  quota: 'The account that codex uses has nothing left: retry after its reset, or use another agent.',
  'rate-limit': 'The model’s server wants fewer requests: retry later, or lower `limits.perProvider` in config.yaml.',
  network: 'The model’s server could not be reached or was overloaded: retry later.',
  refused: 'The model declined this request: change the task or use another model.',
  'unknown-session': 'Codex does not have this conversation any more: begin a new one.',
  bug: 'Please report this.',
  unknown: 'The message is codex’s own.',
};

export function failureOf(message: string, turn: AgentTurn): AgentFailure {
  const found = PATTERNS.find(([pattern]) => pattern.test(message))?.[1] ?? 'unknown';
  const shown = `codex: ${plain(message)}`;
  if (/status:? 404\b/.test(message)) {
    const where = turn.entry.endpoint?.baseUrl ?? 'the default endpoint';
    return { class: 'unknown', message: shown, hint: `Check the address (${where}) and the model in config.yaml.` };
  }
  return { class: found, message: shown, hint: HINTS[found] };
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
    failure: {
      class: 'unknown-session',
      message: `codex does not know the session ${session.id}`,
      hint: HINTS['unknown-session'],
    },
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
