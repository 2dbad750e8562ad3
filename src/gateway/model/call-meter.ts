import { type ModelTokens, NO_TOKENS } from '../../domain/model-call.ts';
import type { CallSoFar } from '../../ports/model-gateway.ts';
import type { AnswerReader } from './wire.ts';

/** US dollars for so many tokens of a model; undefined where its price is not known. */
export type Price = (model: string, tokens: ModelTokens) => number | undefined;

export interface MeteredCall {
  readonly id: string;
  /** The model that was asked for. */
  readonly asked: string | undefined;
  /** Bytes of the request. */
  readonly requestBytes: number;
  readonly reader: AnswerReader;
  readonly price: Price;
}

/** Of text in the languages and codes that models read and write; only for what nobody has counted better. */
const CHARACTERS_PER_TOKEN = 4;

/**
 * What a call has used until now: what the upstream has said, and where that is not its last word, an estimate, which is never less than
 * what it has said.
 */
export function usedBy({ id, asked, requestBytes, reader, price }: MeteredCall): CallSoFar {
  const { model = asked, tokens, isWhole, produced } = reader.seen;
  const isSaid = isWhole && tokens !== undefined;
  const known = isSaid ? tokens : estimate(tokens, { requestBytes, produced });
  return {
    id,
    model: model ?? null,
    tokens: known,
    estimated: !isSaid,
    cost: model === undefined ? null : (price(model, known) ?? null),
  };
}

function estimate(
  said: ModelTokens | undefined,
  { requestBytes, produced }: { requestBytes: number; produced: number },
): ModelTokens {
  const output = Math.ceil(produced / CHARACTERS_PER_TOKEN);
  const isInputSaid = said !== undefined && said.input > 0;
  return {
    ...(said ?? NO_TOKENS),
    input: isInputSaid ? said.input : Math.ceil(requestBytes / CHARACTERS_PER_TOKEN),
    output: Math.max(said?.output ?? 0, output),
  };
}
