import type { Problem } from '../wire.ts';

/**
 * A failure as OpenAI's interfaces tell it (https://platform.openai.com/docs/guides/error-codes). The codes for what is used up are those that
 * clients take for final: `insufficient_quota` stands for every reason that is about money.
 */
export function openaiFailure({ kind, message }: Problem): Readonly<Record<string, unknown>> {
  const { type, code } = NAMES[kind];
  return { error: { message, type, param: null, code } };
}

const NAMES: Readonly<Record<Problem['kind'], { readonly type: string; readonly code: string }>> = {
  auth: { type: 'authentication_error', code: 'invalid_api_key' },
  refused: { type: 'invalid_request_error', code: 'not_allowed' },
  'too-large': { type: 'invalid_request_error', code: 'request_too_large' },
  limit: { type: 'insufficient_quota', code: 'insufficient_quota' },
  quota: { type: 'insufficient_quota', code: 'insufficient_quota' },
  'rate-limit': { type: 'rate_limit_error', code: 'rate_limit_exceeded' },
  unreachable: { type: 'server_error', code: 'server_unreachable' },
};
