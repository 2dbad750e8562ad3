import type { Agent, IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../lib/clock.ts';
import type { Ids } from '../../lib/ids.ts';
import type { ModelMeter } from '../../ports/model-gateway.ts';
import { asPassed, type BegunCall, endCall, passAnswer, usedBefore } from './answer.ts';
import type { Price } from './call-meter.ts';
import type { CarriedAnswer, Carrier, Onward } from './carrier.ts';
import type { Credential } from './credential.ts';
import { type Failed, failed, refusedBy, unreachable } from './failed-answer.ts';
import { readFailure, send } from './send.ts';
import type { Wire } from './wire.ts';

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
    if (admission.kind === 'refused') return refusedBy(forwarding, admission.refusal);
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
