import type { FailedAnswer, Said } from './upstream-failure-answer.ts';
import { durationIn, header, latest, momentIn, waitInText } from './upstream-failure-waits.ts';
import { count, fields, text } from './wires/fields.ts';

/**
 * OpenAI: codes in https://platform.openai.com/docs/guides/error-codes and https://help.openai.com/en/articles/6614457, of which those about money
 * may have `insufficient_quota` as their type; `x-ratelimit-*` in https://platform.openai.com/docs/guides/rate-limits. For logins of ChatGPT, as its
 * open client codex reads them: type `usage_limit_reached` with `resets_at` in seconds since the epoch or `resets_in_seconds`, and
 * `x-codex-primary-*`, `x-codex-secondary-*` for its two windows.
 */
export function openaiSaid({ headers, now }: FailedAnswer, body: unknown): Said {
  const error = fields(fields(body)['error']);
  const names = [text(error['code']) ?? '', text(error['type']) ?? ''];
  if (names.some((name) => SPENT.test(name))) return { kind: 'quota', resetAt: resetOf(error, { headers, now }) };
  if (names.some((name) => UNKNOWN.test(name))) return { kind: 'auth' };
  const isOverloaded = names.includes('server_is_overloaded') || names.includes('slow_down');
  const message = text(error['message']) ?? '';
  const waitMs = waitInText(message) ?? wait(headers);
  return { kind: isOverloaded ? 'overloaded' : undefined, waitMs, isOfModel: OF_MODEL.test(message) };
}

/** Where a limit is the whole organization's, the message names no model. */
const OF_MODEL = /^Rate limit reached for (?!organization\b)\S+ in organization\b/;

const SPENT =
  /^(?:insufficient_quota|credit_balance_exhausted|usage_not_included|billing_\w+|\w*(?:spend|usage)_limit_(?:exceeded|reached)|\w*credits_depleted)$/;
const UNKNOWN =
  /^(?:invalid_api_key|invalid_authentication|authentication_error|account_deactivated|token_(?:expired|revoked|invalidated))$/;

function resetOf(
  error: Readonly<Record<string, unknown>>,
  { headers, now }: Pick<FailedAnswer, 'headers' | 'now'>,
): number | undefined {
  const seconds = count(error['resets_in_seconds']);
  const windows = ['primary', 'secondary'].map((name) => `x-codex-${name}`);
  const spent = windows.filter((name) => Number(header(headers, `${name}-used-percent`)) >= 100);
  return (
    momentIn(error['resets_at']) ??
    (seconds === undefined ? undefined : now + seconds * 1000) ??
    latest(...spent.map((name) => momentIn(header(headers, `${name}-reset-at`))))
  );
}

/** Until the last of those limits is lifted of which nothing is left. */
function wait(headers: FailedAnswer['headers']): number | undefined {
  const spent = ['requests', 'tokens'].filter((limit) => header(headers, `x-ratelimit-remaining-${limit}`) === '0');
  return latest(...spent.map((limit) => durationIn(header(headers, `x-ratelimit-reset-${limit}`))));
}
