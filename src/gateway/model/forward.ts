import type { Agent, IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../lib/clock.ts';
import type { Ids } from '../../lib/ids.ts';
import type { CallSoFar, ModelMeter } from '../../ports/model-gateway.ts';
import { asPassed, type BegunCall, type Ending, endCall, passAnswer, usedBefore } from './answer.ts';
import type { CarriedAnswer, Carrier, Onward } from './carrier.ts';
import type { Credential } from './credential.ts';
import { type Failed, failed, refusedBy, unreachable } from './failed-answer.ts';
import type { Price } from './price-of-call.ts';
import type { ReadBefore, RequestEstimate } from './request-estimate.ts';
import { readFailure, Sending, send, unlessAborted } from './send.ts';
import type { Wire } from './wire.ts';
import type { Withheld } from './withheld.ts';

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
  readonly readBefore: ReadBefore;
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
  /** The tier of service that it asks for. */
  readonly tier?: string | undefined;
  readonly estimate: RequestEstimate;
  /** Whether it costs something: what does not is let through whatever was used up, as long as the attempt has its step. */
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
  const { signal } = forwarding;
  const left = [...forwarding.credentials];
  const resets: number[] = [];
  const renewed = new Set<Credential>();
  for (let tries = 1; ; tries++) {
    const credential = left[0] ?? forwarding.credentials[0];
    const sent = await trySending(forwarding, credential);
    if (sent === 'over') return;
    if (sent.kind === 'auth' && !renewed.has(credential)) {
      renewed.add(credential);
      if (credential.renew !== undefined && (await isRenewed(credential.renew(), signal))) continue;
    }
    if (sent.kind === 'quota') {
      resets.push(sent.until ?? 0);
      left.shift();
      if (left.length > 0) continue;
      const upstream = { host: forwarding.url.host, credential: credential.name, model: sent.model };
      if (forwarding.isCounted) forwarding.meter.exhausted(upstream, Math.min(...resets));
    }
    const waitMs = tries < MOST_TRIES ? waitFor(sent, tries) : undefined;
    if (waitMs === undefined) return sent.tell();
    await forwarding.clock.sleep(waitMs, signal);
    if (signal.aborted) return;
  }
}

const isRenewed = (renewing: Promise<boolean>, signal: AbortSignal): Promise<boolean> =>
  unlessAborted(renewing, signal).catch(() => false);

/** Milliseconds to wait before the request is sent on once more; undefined where that would not help. */
function waitFor({ kind, retryAfterMs }: Failed, tries: number): number | undefined {
  if (kind !== 'rate-limit' && kind !== 'overloaded') return undefined;
  const waitMs = retryAfterMs ?? FIRST_WAIT_MS * 2 ** (tries - 1);
  return waitMs > LONGEST_WAIT_MS ? undefined : waitMs;
}

async function trySending(forwarding: Forwarding, credential: Credential): Promise<Failed | 'over'> {
  const { meter, url, signal, isCounted, clock } = forwarding;
  const upstream = { host: url.host, credential: credential.name };
  const admission = await (isCounted
    ? meter.admit({ ...upstream, model: forwarding.model }, signal)
    : meter.admitFree());
  if (signal.aborted) return 'over';
  if (admission.kind === 'refused') return refusedBy(forwarding, admission.refusal);
  const call: BegunCall = { id: forwarding.ids(), startedAt: clock.now(), upstream };
  // What it will have read counts from now on: others may be sent before anything is heard of it.
  const begun = usedBefore(forwarding, call);
  const refusal = isCounted ? meter.used(begun) : undefined;
  if (refusal !== undefined) {
    endCall(forwarding, call, { status: null, outcome: 'failed', tokens: null });
    return refusedBy(forwarding, refusal);
  }
  const sending = new Sending();
  const sent = await send(forwarding, credential, sending).catch((error: unknown) => ({ error }));
  const wasSent = sending.sentAt !== undefined;
  if (signal.aborted) {
    if ('answer' in sent) sent.answer.destroy();
    endCall(forwarding, call, endingOf(begun, wasSent));
    return 'over';
  }
  if ('error' in sent) return unreachable(forwarding, call, sent.error, endingOf(begun, wasSent));
  return takeAnswer(forwarding, call, sent.answer, { credential, begun, withheld: sending.withheld });
}

/** Of a call whose answer never began: one that was sent has been worked on all the same. */
function endingOf({ tokens, estimated, cost }: CallSoFar, wasSent: boolean): Ending {
  return wasSent
    ? { status: null, outcome: 'cut', tokens, estimated, cost }
    : { status: null, outcome: 'failed', tokens: null };
}

/** Passes an answer on that is for the client. */
async function takeAnswer(
  forwarding: Forwarding,
  call: BegunCall,
  answer: IncomingMessage,
  { credential, begun, withheld }: { credential: Credential; begun: CallSoFar; withheld: Withheld },
): Promise<Failed | 'over'> {
  const status = answer.statusCode ?? 502;
  if (status < 200 || status >= 300) {
    const { headers, rawHeaders } = answer;
    const body = await readFailure(answer);
    return failed(forwarding, call, { status, headers, raw: rawHeaders, body, withheld }, credential);
  }
  let carried: CarriedAnswer | undefined;
  try {
    carried = await forwarding.onward?.back?.(answer);
  } catch (error) {
    answer.destroy();
    return unreachable(forwarding, call, error, { ...endingOf(begun, true), status });
  }
  if (carried?.kind === 'failed') {
    answer.destroy();
    const body = Buffer.from(carried.body);
    return failed(forwarding, call, { ...carried, raw: [], body, withheld }, credential);
  }
  await passAnswer(forwarding, call, asPassed(answer, carried, withheld));
  return 'over';
}
