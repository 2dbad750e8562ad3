import type { AgentFailure, AgentTurn } from '../../../ports/agent.ts';
import { agentFailure, classOfStatus, wrongAddressHint } from '../../../ports/agent-failure.ts';
import type { ClaudeAnswer, ClaudeResult } from './events.ts';

/** Claude's own names for what can be wrong with a request. Those not named here say nothing by themselves. */
const CLASSES: Readonly<Record<string, AgentFailure['class']>> = {
  authentication_failed: 'auth',
  oauth_org_not_allowed: 'auth',
  account_on_hold: 'auth',
  verification_required: 'auth',
  cloud_credential_error: 'auth',
  billing_error: 'quota',
  rate_limit: 'rate-limit',
  overloaded: 'network',
  server_error: 'network',
};

/** Of a result that is an error, with the answer that claude gave in the model's place, if it did. */
export function failureOf(result: ClaudeResult, answer: ClaudeAnswer | undefined, turn: AgentTurn): AgentFailure {
  const message = [result.result, ...result.errors].filter((text) => text !== '').join('\n') || result.subtype;
  const isGone = result.errors.some((text) => /no conversation found|valid session ID/i.test(text));
  if (isGone) return agentFailure(turn, 'unknown-session', message);
  const isUnknownModel = answer?.error === 'model_not_found' || result.api_error_status === 404;
  return agentFailure(
    turn,
    classOf(message, result, answer),
    message,
    isUnknownModel ? wrongAddressHint(turn) : undefined,
  );
}

function classOf(
  message: string,
  { api_error_status: status }: ClaudeResult,
  answer: ClaudeAnswer | undefined,
): AgentFailure['class'] {
  if (/usage policy|refus(ed|al) to respond|unable to respond to this request/i.test(message)) return 'refused';
  if (/hit your .*limit|usage limit|spend limit|credit balance|extra usage/i.test(message)) return 'quota';
  if (answer?.api_error === 'connection_failed') return 'network';
  return CLASSES[answer?.error ?? ''] ?? classOfStatus(status ?? 0) ?? 'unknown';
}
