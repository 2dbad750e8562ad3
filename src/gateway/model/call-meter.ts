import { type ModelTokens, NO_TOKENS } from '../../domain/model-call.ts';
import type { CallSoFar } from '../../ports/model-gateway.ts';
import { atTier, costOf, dearerTier, type Price } from './price-of-call.ts';
import { CHARACTERS_PER_TOKEN, type RequestEstimate } from './request-estimate.ts';
import type { AnswerReader } from './wire.ts';

export interface MeteredCall {
  readonly id: string;
  /** The model that was asked for. */
  readonly asked: string | undefined;
  /** The tier of service that was asked for. */
  readonly tier: string | undefined;
  readonly request: RequestEstimate;
  readonly reader: AnswerReader;
  readonly price: Price;
}

/**
 * What a call has used until now: what the upstream has said, and where that is not its last word, an estimate, which is never less than
 * what it has said.
 */
export function usedBy({ id, asked, tier: askedTier, request, reader, price }: MeteredCall): CallSoFar {
  const { model = asked, tokens, elsewhere, isWhole, produced } = reader.seen;
  const tier = dearerTier(reader.seen.tier, askedTier);
  const isSaid = isWhole && tokens !== undefined;
  const known = isSaid ? tokens : estimate(tokens, { request, produced });
  return {
    id,
    model: model === undefined ? null : atTier(model, tier),
    tokens: known,
    estimated: !isSaid,
    cost: costOf(price, { model, tier, tokens: known, elsewhere }),
  };
}

function estimate(
  said: ModelTokens | undefined,
  { request, produced }: { request: RequestEstimate; produced: number },
): ModelTokens {
  const output = Math.ceil(produced / CHARACTERS_PER_TOKEN);
  const read = said !== undefined && said.input > 0 ? {} : request;
  return {
    ...(said ?? NO_TOKENS),
    ...read,
    output: Math.max(said?.output ?? 0, output),
  };
}
