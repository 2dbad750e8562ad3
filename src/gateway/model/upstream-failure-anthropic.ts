import type { FailedAnswer, Said } from './upstream-failure-answer.ts';
import { header, latest, momentIn } from './upstream-failure-waits.ts';
import { fields, text } from './wires/fields.ts';

/**
 * Anthropic: types of errors in https://platform.claude.com/docs/en/api/errors; `anthropic-ratelimit-*`, and what an account whose spending is
 * stopped is told, in https://platform.claude.com/docs/en/api/rate-limits. Subscriptions have `anthropic-ratelimit-unified-status: rejected` and
 * `-unified-reset`, in seconds since the epoch, where a window of theirs is used up, and in `-unified-representative-claim` which: some are one
 * model's. A spending limit of one's own has status 400, and no code.
 */
export function anthropicSaid({ status, headers, now }: FailedAnswer, body: unknown): Said {
  const error = fields(fields(body)['error']);
  const type = text(error['type']);
  const message = text(error['message']) ?? '';
  const isRejected = status === 429 && header(headers, 'anthropic-ratelimit-unified-status') === 'rejected';
  if (isRejected) {
    const isOfModel = OF_MODEL.test(header(headers, 'anthropic-ratelimit-unified-representative-claim') ?? '');
    return { kind: 'quota', resetAt: momentIn(header(headers, 'anthropic-ratelimit-unified-reset')), isOfModel };
  }
  const code = text(fields(error['details'])['error_code']) ?? '';
  if (type === 'billing_error' || SPENT_CODE.test(code) || SPENT.test(message))
    return { kind: 'quota', resetAt: regained(message) };
  if (type === 'authentication_error' || (status === 403 && /\boauth\b/i.test(message))) return { kind: 'auth' };
  return { kind: type === 'overloaded_error' ? 'overloaded' : undefined, waitMs: wait(headers, now) };
}

const OF_MODEL = /^seven_day_(?:opus|sonnet|haiku|fable)$/;
const SPENT_CODE = /spend_limit_reached$|^credits_required$|out_of_credits$/;
const SPENT = /^You have reached your .*\busage limits\b|^Your credit balance is too low\b/;

function regained(message: string): number | undefined {
  const [, day, time] = /regain access on (\d{4}-\d\d-\d\d) at (\d\d:\d\d) UTC/.exec(message) ?? [];
  return day === undefined ? undefined : momentIn(`${day}T${time}:00Z`);
}

const LIMITS = ['requests', 'tokens', 'input-tokens', 'output-tokens'] as const;

/** Until the last of those limits is lifted of which nothing is left. */
function wait(headers: FailedAnswer['headers'], now: number): number | undefined {
  const spent = LIMITS.filter((limit) => header(headers, `anthropic-ratelimit-${limit}-remaining`) === '0');
  const reset = latest(...spent.map((limit) => momentIn(header(headers, `anthropic-ratelimit-${limit}-reset`))));
  return reset === undefined ? undefined : Math.max(0, reset - now);
}
