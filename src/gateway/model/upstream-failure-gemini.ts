import type { FailedAnswer, Said } from './upstream-failure-answer.ts';
import { durationIn, momentIn, waitInText } from './upstream-failure-waits.ts';
import { type Fields, fields, list, text } from './wires/fields.ts';

/**
 * Google: errors and their `details` (RetryInfo, QuotaFailure, ErrorInfo) in https://cloud.google.com/apis/design/errors. What the quota of a day is
 * called, and that it is there again at midnight in California, is in https://ai.google.dev/gemini-api/docs/rate-limits; the delay beside it is not
 * the one until then. Quotas that each model has to itself say so in their names.
 */
export function geminiSaid({ status, now }: FailedAnswer, body: unknown): Said {
  const error = fields(fields(Array.isArray(body) ? body[0] : body)['error']);
  const message = text(error['message']) ?? '';
  const details = list(error['details']).map(fields);
  const of = (type: string) => fields(details.find((detail) => text(detail['@type'])?.endsWith(`google.rpc.${type}`)));
  const { reason, metadata } = of('ErrorInfo');
  const waitMs = durationIn(of('RetryInfo')['retryDelay']) ?? waitInText(message);
  const quotas = list(of('QuotaFailure')['violations']).map((violation) => text(fields(violation)['quotaId']) ?? '');
  const daily = quotas.filter((id) => /PerDay|Daily/.test(id));
  if (daily.length > 0 || error['code'] === 'quota_exceeded') {
    return { kind: 'quota', resetAt: midnightAfter(now), isOfModel: areOfModel(daily) };
  }
  if (SPENT_REASONS.has(text(reason) ?? '') || (status === 429 && SPENT.test(message))) {
    return { kind: 'quota', resetAt: momentIn(fields(metadata)['quotaResetTimeStamp']), waitMs };
  }
  if (isAboutKey(status, error, text(reason))) return { kind: 'auth' };
  return { kind: error['status'] === 'UNAVAILABLE' ? 'overloaded' : undefined, waitMs, isOfModel: areOfModel(quotas) };
}

function areOfModel(quotas: readonly string[]): boolean {
  return quotas.length > 0 && quotas.every((id) => id.includes('PerModel'));
}

function isAboutKey(status: number, error: Fields, reason = ''): boolean {
  if (error['status'] === 'UNAUTHENTICATED' || KEY_REASON.test(reason)) return true;
  return (status === 400 || status === 403) && /^(?:Your )?API key /i.test(text(error['message']) ?? '');
}

const SPENT_REASONS: ReadonlySet<string> = new Set(['QUOTA_EXHAUSTED', 'INSUFFICIENT_G1_CREDITS_BALANCE']);
const SPENT = /credits are depleted|spend(?:ing)? cap/i;
const KEY_REASON =
  /^(?:API_KEY_(?:INVALID|EXPIRED|SERVICE_BLOCKED)|ACCESS_TOKEN_\w+|CREDENTIALS_MISSING|ACCOUNT_STATE_INVALID)$/;

const DAY_MS = 86_400_000;

/** The next midnight in California. Days on which clocks are changed are longer or shorter. */
function midnightAfter(now: number): number {
  const about = now + DAY_MS - sinceMidnight(now);
  const off = sinceMidnight(about);
  return off > DAY_MS / 2 ? about + DAY_MS - off : about - off;
}

function sinceMidnight(moment: number): number {
  const parts = CLOCK.formatToParts(moment);
  const [hours = 0, minutes = 0, seconds = 0] = ['hour', 'minute', 'second'].map((type) =>
    Number(parts.find((part) => part.type === type)?.value),
  );
  return ((hours * 60 + minutes) * 60 + seconds) * 1000 + (moment % 1000);
}

const CLOCK = new Intl.DateTimeFormat('en-US', {
  timeZone: 'America/Los_Angeles',
  hour: 'numeric',
  minute: 'numeric',
  second: 'numeric',
  hourCycle: 'h23',
});
