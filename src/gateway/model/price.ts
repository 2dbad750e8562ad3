import { readFile } from 'node:fs/promises';
import type { ModelTokens } from '../../domain/model-call.ts';
import { PublishedPrices, type Rates } from '../../domain/model-price.ts';
import { atTier } from './price-of-call.ts';

/** What models cost, by their ids, and by `ID+TIER` at a dearer tier of service. An entry holds for its id and for the same with a date behind it. */
export type PriceTable = ReadonlyMap<string, ModelPrice>;

export interface ModelPrice {
  readonly rates: Rates;
  /** Where the provider asks more for all tokens of a request that reads more than so many: from the least to the most. */
  readonly above: readonly { readonly tokens: number; readonly rates: Rates }[];
  /** The day on which the price was read; null for what the machine's owner has written. */
  readonly date: string | null;
  /** The address of the provider's price page, or `config.yaml`. */
  readonly source: string;
}

/** What a call costs. */
export interface Priced extends Pick<ModelPrice, 'date' | 'source'> {
  /** US dollars. */
  readonly cost: number;
}

/**
 * What so many tokens of one call cost; undefined for a model, or a tier of one, that the table does not have: nobody knows, which is not nothing.
 * What costs nothing does so at all tiers. `cached` and `cacheWrite` are parts of `input`, `reasoning` is one of `output`.
 */
export function priceOf(table: PriceTable, model: string, tokens: ModelTokens, tier?: string): Priced | undefined {
  const at = (wanted: string | undefined) =>
    table.get(atTier(model, wanted)) ?? table.get(atTier(withoutDate(model), wanted));
  const ordinary = at(undefined);
  const price = tier === undefined || isFree(ordinary) ? ordinary : at(tier);
  if (price === undefined) return undefined;
  const { input, cached, cacheWrite, output } = ratesAt(price, tokens.input);
  const fresh = Math.max(0, tokens.input - tokens.cached - tokens.cacheWrite);
  const cost =
    fresh * input +
    tokens.cached * (cached ?? input) +
    tokens.cacheWrite * (cacheWrite ?? input) +
    tokens.output * output;
  return { cost: cost / 1_000_000, date: price.date, source: price.source };
}

/** The prices that come with this version, read from `prices.json` beside this file. */
export async function shippedPrices(): Promise<PriceTable> {
  const { prices } = PublishedPrices.parse(JSON.parse(await readFile(FILE, 'utf8')));
  return new Map(
    prices.flatMap(({ models, date, source, above, ...rates }) =>
      models.map((model) => [
        model,
        { rates, above: above.map(({ tokens, ...more }) => ({ tokens, rates: more })), date, source },
      ]),
    ),
  );
}

/** The table with what the machine's configuration says, which is at one price whatever a request reads. */
export function withOwnPrices(table: PriceTable, own: Readonly<Record<string, Rates>>): PriceTable {
  const added = Object.entries(own).map(
    ([model, rates]) => [model, { rates, above: [], date: null, source: 'config.yaml' }] as const,
  );
  return new Map([...table, ...added]);
}

const FILE = new URL('./prices.json', import.meta.url);

function ratesAt({ rates, above }: ModelPrice, read: number): Rates {
  return above.findLast(({ tokens }) => read > tokens)?.rates ?? rates;
}

function isFree(price: ModelPrice | undefined): boolean {
  return price !== undefined && price.above.length === 0 && Object.values(price.rates).every((rate) => rate === 0);
}

/** `gpt-5-2025-08-07` and `claude-opus-4-1-20250805` are snapshots of a model that costs the same. */
function withoutDate(model: string): string {
  return model.replace(/[-@]20\d{2}-?(0[1-9]|1[0-2])-?([0-2]\d|3[01])$/, '');
}
