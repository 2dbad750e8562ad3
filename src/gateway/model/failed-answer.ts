import type { IncomingMessage } from 'node:http';
import { SwitchyardError } from '../../lib/error.ts';
import type { ModelRefusal } from '../../ports/model-gateway.ts';
import { codeOf } from '../egress/dial.ts';
import { passedOn } from '../egress/exchange.ts';
import { type BegunCall, endCall, NOT_PASSED_BACK } from './answer.ts';
import type { Credential } from './credential.ts';
import { fail } from './fail.ts';
import type { Forwarding } from './forward.ts';
import { type UpstreamFailure, upstreamFailure } from './upstream-failure.ts';
import type { Problem } from './wire.ts';

/** A request that was not answered as it should be. */
export interface Failed {
  readonly kind: UpstreamFailure['kind'] | 'refused' | 'unreachable';
  readonly retryAfterMs?: number | undefined;
  /** Of a quota: when it is there again. */
  readonly until?: number | undefined;
  /** Answers the client so. */
  readonly tell: () => void;
}

export interface FailedAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly raw: readonly string[];
  readonly body: Buffer;
}

/** What a failure of the upstream is, noted where all have to know of it; the client is not answered yet. */
export function failed(forwarding: Forwarding, call: BegunCall, answer: FailedAnswer, credential: Credential): Failed {
  const { wire, carrier, url, clock, meter, response } = forwarding;
  const { status, headers, body } = answer;
  const now = clock.now();
  const failure = upstreamFailure(wire.api, { status, headers, body: body.toString(), now }, carrier?.said) ?? {
    kind: 'other',
  };
  endCall(forwarding, call, { status, outcome: 'failed', tokens: null });
  switch (failure.kind) {
    case 'auth': {
      // Some say again what they were given.
      const { name, called } = credential;
      const advice = carrier?.advice({ status, headers, body: body.toString() });
      const message = name === null ? `${url.host} wants a key.` : `${url.host} does not take ${called}.`;
      return {
        kind: 'auth',
        tell: () =>
          fail(forwarding, response, {
            status: status === 403 ? 403 : 401,
            kind: 'auth',
            message: advice === undefined ? message : `${message} ${advice}`,
          }),
      };
    }
    case 'quota': {
      const until = failure.resetAt ?? now + QUOTA_WITHOUT_RESET_MS;
      meter.paused(call.upstream, { kind: 'quota', until });
      return {
        kind: 'quota',
        until,
        tell: () =>
          fail(forwarding, response, { status: 429, kind: 'quota', message: quotaText(url, failure.resetAt) }),
      };
    }
    case 'rate-limit':
    case 'overloaded': {
      const { retryAfterMs } = failure;
      if (retryAfterMs !== undefined) meter.paused(call.upstream, { kind: 'rate-limit', until: now + retryAfterMs });
      return { kind: failure.kind, retryAfterMs, tell: () => passFailure(forwarding, answer) };
    }
    case 'other':
      if (status < 300 || status >= 400) return { kind: 'other', tell: () => passFailure(forwarding, answer) };
      meter.refused(`${url.host} answered with a redirect to another place, which is not followed.`);
      return {
        kind: 'other',
        tell: () =>
          fail(forwarding, response, {
            status: 502,
            kind: 'refused',
            message: `${url.host} leads elsewhere: correct the endpoint's address.`,
          }),
      };
  }
}

/** Where nobody says when a quota is there again, it is looked for so often. */
const QUOTA_WITHOUT_RESET_MS = 60 * 60_000;

function quotaText(url: URL, resetAt: number | undefined): string {
  const when = resetAt === undefined ? '' : ` until ${new Date(resetAt).toISOString()}`;
  return `The quota of this account at ${url.host} is used up${when}.`;
}

/** The same where no answer came. */
export function unreachable(forwarding: Forwarding, call: BegunCall, error: unknown): Failed {
  const { url, response } = forwarding;
  endCall(forwarding, call, { status: null, outcome: 'failed', tokens: null });
  if (error instanceof SwitchyardError) {
    const message = `${error.message} ${error.hint}`;
    return { kind: 'refused', tell: () => fail(forwarding, response, { status: 401, kind: 'auth', message }) };
  }
  const message = `${url.host} cannot be reached: ${codeOf(error)}`;
  return { kind: 'unreachable', tell: () => fail(forwarding, response, { status: 502, kind: 'unreachable', message }) };
}

/** The same of a request that was not let through. */
export function refusedBy(forwarding: Forwarding, refusal: ModelRefusal): Failed {
  const tell = () => fail(forwarding, forwarding.response, problemOf(refusal));
  return { kind: refusal.kind === 'quota' ? 'quota' : 'refused', until: refusal.until, tell };
}

function problemOf({ kind, message }: ModelRefusal): Problem {
  switch (kind) {
    case 'limit':
      return { status: 402, kind: 'limit', message };
    case 'quota':
      return { status: 429, kind: 'quota', message };
    case 'rate-limit':
      return { status: 429, kind: 'rate-limit', message };
    case 'lost':
      return { status: 401, kind: 'auth', message };
  }
}

function passFailure({ response, carrier }: Forwarding, { status, headers, raw, body }: FailedAnswer): void {
  if (carrier !== undefined) {
    const failure = carrier.failure({ status, headers, body: body.toString() });
    const wait = headers['retry-after'];
    const head = { 'content-type': 'application/json', ...(wait === undefined ? {} : { 'retry-after': wait }) };
    response.writeHead(failure.status, head);
    response.end(JSON.stringify(failure.body));
    return;
  }
  response.writeHead(status, {
    ...passedOn(raw, [...NOT_PASSED_BACK, 'content-length']),
    'content-length': body.length,
  });
  response.end(body);
}
