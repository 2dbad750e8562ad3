import type { IncomingMessage } from 'node:http';
import { SwitchyardError } from '../../lib/error.ts';
import type { ModelRefusal, Pause } from '../../ports/model-gateway.ts';
import { codeOf } from '../egress/dial.ts';
import { passedOn } from '../egress/exchange.ts';
import { type BegunCall, type Ending, endCall, NOT_PASSED_BACK } from './answer.ts';
import type { Credential } from './credential.ts';
import { fail } from './fail.ts';
import type { Forwarding } from './forward.ts';
import { type UpstreamFailure, upstreamFailure } from './upstream-failure.ts';
import type { Problem } from './wire.ts';
import { headersWithout, textWithout, type Withheld } from './withheld.ts';

/** A request that was not answered as it should be. */
export interface Failed {
  readonly kind: UpstreamFailure['kind'] | 'refused' | 'unreachable';
  readonly retryAfterMs?: number | undefined;
  /** Of a quota: when it is there again. */
  readonly until?: number | undefined;
  /** Of a quota: the model, where it is that one's alone. */
  readonly model?: string | undefined;
  /** Answers the client so. */
  readonly tell: () => void;
}

export interface FailedAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly raw: readonly string[];
  /** Not coded. */
  readonly body: Buffer;
  readonly withheld: Withheld;
}

/** What a failure of the upstream is, noted where all have to know of it; the client is not answered yet. */
export function failed(forwarding: Forwarding, call: BegunCall, answer: FailedAnswer, credential: Credential): Failed {
  const { wire, carrier, url, clock, meter, response, isCounted } = forwarding;
  const { status, headers, body } = answer;
  const now = clock.now();
  const failure = upstreamFailure(wire.api, { status, headers, body: body.toString(), now }, carrier?.said) ?? {
    kind: 'other',
  };
  endCall(forwarding, call, { status, outcome: 'failed', tokens: null });
  // What costs nothing has limits of its own, which say nothing of the others.
  const pause = (one: Pause): void => {
    if (isCounted) meter.paused(call.upstream, one);
  };
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
      const model = modelOf(failure, forwarding);
      pause({ kind: 'quota', until, model });
      const message = quotaText(url, failure.resetAt, model);
      return {
        kind: 'quota',
        until,
        model,
        tell: () => fail(forwarding, response, { status: 429, kind: 'quota', message }),
      };
    }
    case 'rate-limit':
    case 'overloaded': {
      const { retryAfterMs } = failure;
      const model = modelOf(failure, forwarding);
      if (retryAfterMs !== undefined) pause({ kind: 'rate-limit', until: now + retryAfterMs, model });
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

function quotaText(url: URL, resetAt: number | undefined, model: string | undefined): string {
  const when = resetAt === undefined ? '' : ` until ${new Date(resetAt).toISOString()}`;
  const what = model === undefined ? '' : ` for ${model}`;
  return `The quota of this account at ${url.host}${what} is used up${when}.`;
}

/** The model, where others may be used meanwhile. */
function modelOf({ isOfModel }: { readonly isOfModel?: true }, { model }: Forwarding): string | undefined {
  return isOfModel === true ? model : undefined;
}

/** The same where no answer came. `ending`: how the call has ended by that. */
export function unreachable(forwarding: Forwarding, call: BegunCall, error: unknown, ending: Ending): Failed {
  const { url, response } = forwarding;
  endCall(forwarding, call, ending);
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
  return { kind: refusal.kind === 'quota' ? 'quota' : 'refused', until: refusal.until, model: refusal.model, tell };
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

/** Says what the upstream has said, but for what it was sent for itself alone. */
function passFailure({ response, carrier }: Forwarding, { status, headers, raw, body, withheld }: FailedAnswer): void {
  const said = body.toString();
  if (carrier !== undefined) {
    const failure = carrier.failure({ status, headers, body: said });
    const wait = headers['retry-after'];
    const head = { 'content-type': 'application/json', ...(wait === undefined ? {} : { 'retry-after': wait }) };
    response.writeHead(failure.status, headersWithout(withheld, head));
    response.end(textWithout(withheld, JSON.stringify(failure.body)));
    return;
  }
  const told = textWithout(withheld, said);
  const whole = told === said ? body : Buffer.from(told);
  const head = passedOn(raw, [...NOT_PASSED_BACK, 'content-length', 'content-encoding']);
  response.writeHead(status, { ...headersWithout(withheld, head), 'content-length': whole.length });
  response.end(whole);
}
