import { once } from 'node:events';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { ModelCall } from '../../domain/model-call.ts';
import type { CallSoFar, Upstream } from '../../ports/model-gateway.ts';
import { passedOn } from '../egress/exchange.ts';
import { type MeteredCall, usedBy } from './call-meter.ts';
import type { CarriedAnswer } from './carrier.ts';
import type { Forwarding } from './forward.ts';
import { atTier, dearerTier } from './price-of-call.ts';
import { headersWithout, type Withheld } from './withheld.ts';

/** A request that was sent on. */
export interface BegunCall {
  readonly id: string;
  readonly startedAt: number;
  readonly upstream: Upstream;
}

/** Headers of an answer that are nothing to the client. */
export const NOT_PASSED_BACK: readonly string[] = ['set-cookie', 'location', 'alt-svc', 'strict-transport-security'];

/** What a call uses at the least, before anything of its answer has come. */
export function usedBefore({ wire, model, tier, estimate, price }: Forwarding, { id }: BegunCall): CallSoFar {
  return usedBy({ id, asked: model, tier, request: estimate, reader: wire.reader(undefined), price });
}

/** An answer as it is for the client. */
export interface Passed {
  readonly answer: IncomingMessage;
  readonly headers: OutgoingHttpHeaders;
  readonly contentType: string | undefined;
  readonly pieces: AsyncIterable<Uint8Array>;
}

/** As it came, or as it was carried back. */
export function asPassed(
  answer: IncomingMessage,
  carried: Extract<CarriedAnswer, { kind: 'answer' }> | undefined,
  withheld: Withheld,
): Passed {
  const heads = (left: readonly string[]) => headersWithout(withheld, passedOn(answer.rawHeaders, left));
  if (carried === undefined) {
    const contentType = answer.headers['content-type'];
    return { answer, headers: heads(NOT_PASSED_BACK), contentType, pieces: answer as AsyncIterable<Buffer> };
  }
  const { contentType, pieces } = carried;
  const left = [...NOT_PASSED_BACK, 'content-length', 'content-encoding'];
  return { answer, headers: { ...heads(left), 'content-type': contentType }, contentType, pieces };
}

/** Passes an answer on, piece by piece as it comes, and counts it; breaks it off where the meter says so. Resolves when it is over. */
export async function passAnswer(
  forwarding: Forwarding,
  call: BegunCall,
  { answer, headers, contentType, pieces }: Passed,
): Promise<void> {
  const { wire, response, isCounted, meter, clock, model, tier, estimate, price } = forwarding;
  const reader = wire.reader(contentType);
  const metered: MeteredCall = { id: call.id, asked: model, tier, request: estimate, reader, price };
  response.writeHead(answer.statusCode ?? 200, headers);
  response.flushHeaders();
  let firstByteMs: number | null = null;
  let isCut = false;
  try {
    for await (const piece of pieces) {
      firstByteMs ??= clock.now() - call.startedAt;
      reader.take(piece);
      if (isCounted && meter.used(usedBy(metered)) !== undefined) {
        isCut = true;
        break;
      }
      if (!response.write(piece)) await untilDrained(response);
      if (response.destroyed) break;
    }
  } catch {
    isCut = true;
  }
  const wasLeft = response.destroyed || isCut;
  if (wasLeft) response.destroy();
  else response.end();
  answer.destroy();
  if (isCounted) endAnswered(forwarding, call, metered, { status: answer.statusCode ?? null, wasLeft, firstByteMs });
}

/** Tells of a call whose answer had begun, and keeps in mind what the model has read. */
function endAnswered(
  forwarding: Forwarding,
  call: BegunCall,
  metered: MeteredCall,
  { wasLeft, ...answer }: Pick<ModelCall, 'status' | 'firstByteMs'> & { wasLeft: boolean },
): void {
  const { wire, model, readBefore } = forwarding;
  const { error, isWhole } = metered.reader.seen;
  const { tokens, estimated, cost, model: told } = usedBy(metered);
  if (!estimated) readBefore.note(wire.api, model, tokens);
  // One that has said all that it was going to was not cut, whoever has hung up first.
  const outcome = error !== undefined ? 'failed' : wasLeft && !isWhole ? 'cut' : 'answered';
  endCall(forwarding, call, { ...answer, outcome, tokens, estimated, cost, model: told });
}

/** Resolves when there is room again, or nobody reads any more. */
async function untilDrained(response: ServerResponse): Promise<void> {
  if (response.destroyed) return;
  const over = new AbortController();
  const { signal } = over;
  await Promise.race([once(response, 'drain', { signal }), once(response, 'close', { signal })]).catch(() => undefined);
  over.abort();
}

export type Ending = Pick<ModelCall, 'status' | 'outcome' | 'tokens'> & Partial<ModelCall>;

/** Tells the meter of a call that is over. */
export function endCall(
  { wire, model, tier, isCounted, meter, clock }: Forwarding,
  { id, startedAt, upstream }: BegunCall,
  ending: Ending,
): void {
  if (!isCounted) return;
  meter.ended({
    id,
    api: wire.api,
    host: upstream.host,
    credential: upstream.credential,
    model: model === undefined ? null : atTier(model, dearerTier(tier)),
    estimated: false,
    cost: null,
    firstByteMs: null,
    startedAt,
    durationMs: clock.now() - startedAt,
    ...ending,
  });
}
