import type { ModelTokens } from '../../domain/model-call.ts';
import type { UsedElsewhere } from './wire.ts';

/** US dollars for so many tokens of a model, at a dearer tier of service where one is named; undefined where that price is not known. */
export type Price = (model: string, tokens: ModelTokens, tier?: string) => number | undefined;

/** The tiers of service that cost what a provider's list says, or less. */
const ORDINARY: ReadonlySet<string> = new Set([
  'default',
  'standard',
  'standard_only',
  'on_demand',
  'flex',
  'batch',
  'scale',
]);

/** The tier that a call is paid for at, as it was given, else as it was asked for; undefined for the ordinary one. */
export function dearerTier(given: string | undefined, asked?: string): string | undefined {
  const tier = given ?? asked;
  return tier === undefined || ORDINARY.has(tier) ? undefined : tier;
}

/** The name of a model at a dearer tier, under which it is counted, and its price stands in the table. */
export function atTier(model: string, tier: string | undefined): string {
  return tier === undefined ? model : `${model}+${tier}`;
}

export interface CallTokens {
  readonly model: string | undefined;
  readonly tier: string | undefined;
  /** All of the call. */
  readonly tokens: ModelTokens;
  readonly elsewhere?: readonly UsedElsewhere[] | undefined;
}

/** What a call costs, each model's part of it by its own price; null where one of these is not known: that is unknown, not nothing. */
export function costOf(price: Price, { model, tier, tokens, elsewhere = [] }: CallTokens): number | null {
  if (model === undefined) return null;
  let cost: number | undefined = price(model, elsewhere.map((part) => part.tokens).reduce(without, tokens), tier);
  for (const part of elsewhere) {
    const more = price(part.model, part.tokens);
    cost = cost === undefined || more === undefined ? undefined : cost + more;
  }
  return cost ?? null;
}

/** Whether a dearer tier has no price, where the model has one: it could be used without being bounded. */
export function isUnpriced(price: Price, model: string, tier: string): boolean {
  return price(model, SOME, tier) === undefined && price(model, SOME) !== undefined;
}

const SOME: ModelTokens = { input: 1, cached: 0, cacheWrite: 0, output: 1, reasoning: 0 };

function without(all: ModelTokens, part: ModelTokens): ModelTokens {
  const less = (name: keyof ModelTokens) => Math.max(0, all[name] - part[name]);
  return {
    input: less('input'),
    cached: less('cached'),
    cacheWrite: less('cacheWrite'),
    output: less('output'),
    reasoning: less('reasoning'),
  };
}
