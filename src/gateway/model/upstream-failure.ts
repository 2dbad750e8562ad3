import type { ModelApi } from '../../domain/model-call.ts';
import { tryJson } from '../../lib/try-json.ts';
import type { FailedAnswer, ReadFailure } from './upstream-failure-answer.ts';
import { anthropicSaid } from './upstream-failure-anthropic.ts';
import { geminiSaid } from './upstream-failure-gemini.ts';
import { openaiSaid } from './upstream-failure-openai.ts';
import { retryAfter } from './upstream-failure-waits.ts';

/** Why an upstream did not do what it was asked. `isOfModel`: it would, for another model. */
export type UpstreamFailure =
  /** It takes no more requests of this account, or has too many of everybody's. Milliseconds to wait, where it says so. */
  | { readonly kind: 'rate-limit' | 'overloaded'; readonly retryAfterMs: number | undefined; readonly isOfModel?: true }
  /** What the account may use is used up. Milliseconds since the epoch, always later than now, where it says when there is more. */
  | { readonly kind: 'quota'; readonly resetAt: number | undefined; readonly isOfModel?: true }
  /** The credential is not taken. */
  | { readonly kind: 'auth' }
  | { readonly kind: 'other' };

/** What an upstream's answer means, by its headers and its body, as the protocol's own provider words it unless it is read otherwise; undefined for one that is no failure. Whoever wants a longer wait than five minutes has nothing left for now. */
export function upstreamFailure(
  api: ModelApi,
  answer: FailedAnswer,
  read: ReadFailure = SAID[api],
): UpstreamFailure | undefined {
  const { status, headers, body, now } = answer;
  if (status < 400) return undefined;
  const said = read(answer, tryJson(body));
  const waitMs = shortened(retryAfter(headers, now) ?? said.waitMs);
  const ofModel = said.isOfModel === true ? { isOfModel: true as const } : {};
  const isSpent = said.kind === 'quota' || status === 402;
  if (isSpent) return { ...quota(now, said.resetAt ?? (waitMs === undefined ? undefined : now + waitMs)), ...ofModel };
  if (said.kind === 'auth' || status === 401) return { kind: 'auth' };
  if (said.kind === 'overloaded' || OVERLOADED.has(status)) return { kind: 'overloaded', retryAfterMs: waitMs };
  if (status !== 429) return { kind: 'other' };
  const isLong = waitMs !== undefined && waitMs > LONGEST_RATE_LIMIT_MS;
  return { ...(isLong ? quota(now, now + waitMs) : { kind: 'rate-limit', retryAfterMs: waitMs }), ...ofModel };
}

const SAID: Readonly<Record<ModelApi, ReadFailure>> = {
  anthropic: anthropicSaid,
  responses: openaiSaid,
  chat: openaiSaid,
  gemini: geminiSaid,
};

/** 529 is Anthropic's. */
const OVERLOADED: ReadonlySet<number> = new Set([503, 529]);
const LONGEST_RATE_LIMIT_MS = 5 * 60_000;
/** No number that an upstream sends is to lead out of what dates can be. */
const LONGEST_WAIT_MS = 366 * 86_400_000;
/** Clocks differ: where a moment is over, it is looked again a little later. */
const SOON_MS = 60_000;

function quota(now: number, resetAt: number | undefined): Extract<UpstreamFailure, { kind: 'quota' }> {
  if (resetAt === undefined) return { kind: 'quota', resetAt };
  return { kind: 'quota', resetAt: resetAt <= now ? now + SOON_MS : Math.min(resetAt, now + LONGEST_WAIT_MS) };
}

function shortened(waitMs: number | undefined): number | undefined {
  return waitMs === undefined ? undefined : Math.min(waitMs, LONGEST_WAIT_MS);
}
