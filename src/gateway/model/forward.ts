import {
  type Agent,
  request as httpRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Clock } from '../../lib/clock.ts';
import { SwitchyardError } from '../../lib/error.ts';
import type { Ids } from '../../lib/ids.ts';
import type { ModelMeter, ModelRefusal } from '../../ports/model-gateway.ts';
import { codeOf } from '../egress/dial.ts';
import { passedOn } from '../egress/exchange.ts';
import { asPassed, type BegunCall, endCall, NOT_PASSED_BACK, passAnswer, usedBefore } from './answer.ts';
import type { Price } from './call-meter.ts';
import type { CarriedAnswer, Carrier, Onward } from './carrier.ts';
import type { Credential } from './credential.ts';
import { fail } from './fail.ts';
import { type UpstreamFailure, upstreamFailure } from './upstream-failure.ts';
import type { Problem, Wire } from './wire.ts';

/** How requests get to an upstream. */
export interface Upstreams {
  readonly wire: Wire;
  /** Where the upstream has a form of its own for what the protocol says. */
  readonly carrier?: Carrier | undefined;
  readonly credentials: readonly [Credential, ...Credential[]];
  /** Keeps connections open between requests. */
  readonly agentFor: (url: URL) => Agent;
  readonly price: Price;
  readonly meter: ModelMeter;
  readonly clock: Clock;
  readonly ids: Ids;
}

export interface Forwarding extends Upstreams {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly body: Buffer;
  /** As the carrier has put the request, with `url` and `body`. */
  readonly onward?: Onward | undefined;
  /** Whether `body` is not what the client sent, and not coded any more. */
  readonly isRewritten?: boolean;
  readonly model: string | undefined;
  /** Whether it costs something. */
  readonly isCounted: boolean;
  /** Aborts when the client goes. */
  readonly signal: AbortSignal;
}

/** How often a request is sent on before the client is told of a failure that may pass. */
const MOST_TRIES = 5;
const FIRST_WAIT_MS = 1_000;
/** An upstream that asks for more patience than this is answered for: the client knows better what to do. */
const LONGEST_WAIT_MS = 60_000;
/** Of an answer that says what went wrong. */
const LONGEST_FAILURE = 64 * 1024;

/** Sends a request on, with a credential, until an answer comes that is for the client. Rejects for nothing that the upstream does. */
export async function forward(forwarding: Forwarding): Promise<void> {
  const left = [...forwarding.credentials];
  const resets: number[] = [];
  const renewed = new Set<Credential>();
  for (let tries = 1; ; tries++) {
    const credential = left[0] ?? forwarding.credentials[0];
    const sent = await trySending(forwarding, credential);
    if (sent === 'over') return;
    if (sent.kind === 'auth' && !renewed.has(credential)) {
      renewed.add(credential);
      if ((await credential.renew?.().catch(() => false)) === true) continue;
    }
    if (sent.kind === 'quota') {
      resets.push(sent.until ?? 0);
      left.shift();
      if (left.length > 0) continue;
      forwarding.meter.exhausted({ host: forwarding.url.host, credential: credential.name }, Math.min(...resets));
    }
    const waitMs = tries < MOST_TRIES ? waitFor(sent, tries) : undefined;
    if (waitMs === undefined) return sent.tell();
    await forwarding.clock.sleep(waitMs, forwarding.signal);
    if (forwarding.signal.aborted) return;
  }
}

/** A request that was not answered as it should be. */
interface Failed {
  readonly kind: UpstreamFailure['kind'] | 'refused' | 'unreachable';
  readonly retryAfterMs?: number | undefined;
  /** Of a quota: when it is there again. */
  readonly until?: number | undefined;
  /** Answers the client so. */
  readonly tell: () => void;
}

/** Milliseconds to wait before the request is sent on once more; undefined where that would not help. */
function waitFor({ kind, retryAfterMs }: Failed, tries: number): number | undefined {
  if (kind !== 'rate-limit' && kind !== 'overloaded') return undefined;
  const waitMs = retryAfterMs ?? FIRST_WAIT_MS * 2 ** (tries - 1);
  return waitMs > LONGEST_WAIT_MS ? undefined : waitMs;
}

async function trySending(forwarding: Forwarding, credential: Credential): Promise<Failed | 'over'> {
  const { meter, url, signal, isCounted, clock } = forwarding;
  const upstream = { host: url.host, credential: credential.name };
  if (isCounted) {
    const admission = await meter.admit(upstream, signal);
    if (signal.aborted) return 'over';
    if (admission.kind === 'refused') {
      const { refusal } = admission;
      const tell = () => fail(forwarding, forwarding.response, problemOf(refusal));
      return { kind: refusal.kind === 'quota' ? 'quota' : 'refused', until: refusal.until, tell };
    }
  }
  const call: BegunCall = { id: forwarding.ids(), startedAt: clock.now(), upstream };
  // What it will have read counts from now on: others may be sent before anything is heard of it.
  const begun = usedBefore(forwarding, call);
  if (isCounted) meter.used(begun);
  let wasSent = false;
  const sent = await send(forwarding, credential, () => {
    wasSent = true;
  }).catch((error: unknown) => ({ error }));
  if (signal.aborted) {
    if ('answer' in sent) sent.answer.destroy();
    // Whoever hangs up before the answer begins has had it worked on all the same.
    const { tokens, estimated, cost } = begun;
    const used = wasSent ? { tokens, estimated, cost } : { tokens: null };
    endCall(forwarding, call, { status: null, outcome: wasSent ? 'cut' : 'failed', ...used });
    return 'over';
  }
  if ('error' in sent) return unreachable(forwarding, call, sent.error);
  return takeAnswer(forwarding, call, sent.answer, credential);
}

/** Passes an answer on that is for the client. */
async function takeAnswer(
  forwarding: Forwarding,
  call: BegunCall,
  answer: IncomingMessage,
  credential: Credential,
): Promise<Failed | 'over'> {
  const status = answer.statusCode ?? 502;
  if (status < 200 || status >= 300) {
    const { headers, rawHeaders } = answer;
    return failed(forwarding, call, { status, headers, raw: rawHeaders, body: await readFailure(answer) }, credential);
  }
  let carried: CarriedAnswer | undefined;
  try {
    carried = await forwarding.onward?.back?.(answer);
  } catch (error) {
    answer.destroy();
    return unreachable(forwarding, call, error);
  }
  if (carried?.kind === 'failed') {
    answer.destroy();
    return failed(forwarding, call, { ...carried, raw: [], body: Buffer.from(carried.body) }, credential);
  }
  await passAnswer(forwarding, call, asPassed(answer, carried));
  return 'over';
}

interface FailedAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly raw: readonly string[];
  readonly body: Buffer;
}

function failed(forwarding: Forwarding, call: BegunCall, answer: FailedAnswer, credential: Credential): Failed {
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

function unreachable(forwarding: Forwarding, call: BegunCall, error: unknown): Failed {
  const { url, response } = forwarding;
  endCall(forwarding, call, { status: null, outcome: 'failed', tokens: null });
  if (error instanceof SwitchyardError) {
    const message = `${error.message} ${error.hint}`;
    return { kind: 'refused', tell: () => fail(forwarding, response, { status: 401, kind: 'auth', message }) };
  }
  const message = `${url.host} cannot be reached: ${codeOf(error)}`;
  return { kind: 'unreachable', tell: () => fail(forwarding, response, { status: 502, kind: 'unreachable', message }) };
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

/** Sends the request, whole, and resolves when the head of the answer is there. */
async function send(
  forwarding: Forwarding,
  credential: Credential,
  onSent: () => void,
): Promise<{ readonly answer: IncomingMessage }> {
  const { request, url, body, onward, wire, isRewritten = false, agentFor, signal } = forwarding;
  const method = request.method ?? 'GET';
  const left = ['host', 'content-length', 'accept-encoding', 'cookie', 'forwarded', ...wire.credentialHeaders];
  const headers: OutgoingHttpHeaders = {
    ...(onward?.headers ?? passedOn(request.rawHeaders, isRewritten ? [...left, 'content-encoding'] : left)),
    host: url.host,
    // What is read on its way is not to be coded.
    'accept-encoding': 'identity',
    ...(body.length > 0 || method === 'POST' ? { 'content-length': body.length } : {}),
  };
  Object.assign(headers, await credential.authorize({ method, url, headers, body }));
  for (let isLast = false; ; isLast = true) {
    const outgoing = (url.protocol === 'http:' ? httpRequest : httpsRequest)(url, {
      method,
      headers,
      agent: agentFor(url),
      signal,
    });
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    outgoing.once('finish', onSent);
    outgoing.once('response', resolve);
    outgoing.once('upgrade', (_answer, socket) => {
      socket.destroy();
      reject(new Error('it changed to another protocol'));
    });
    outgoing.on('error', reject);
    outgoing.end(body);
    try {
      return { answer: await promise };
    } catch (error) {
      // A connection that was kept open, and that the other side had closed meanwhile.
      if (isLast || !outgoing.reusedSocket || signal.aborted) throw error;
    }
  }
}

async function readFailure(answer: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  try {
    for await (const piece of answer as AsyncIterable<Buffer>) {
      pieces.push(piece);
      length += piece.length;
      if (length > LONGEST_FAILURE) break;
    }
  } catch {
    // What has come says enough.
  }
  return Buffer.concat(pieces).subarray(0, LONGEST_FAILURE);
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
