import type { ModelTokens } from '../../../domain/model-call.ts';
import type { UsedElsewhere } from '../wire.ts';
import { count, type Fields, fields, list, text } from './fields.ts';

const NAMES = ['input_tokens', 'cache_read_input_tokens', 'cache_creation_input_tokens', 'output_tokens'] as const;
type Name = (typeof NAMES)[number];

/**
 * Adds up what Anthropic says in several places of one answer. Each number counts from the beginning, so that the largest is the latest; some
 * servers leave out, or set to 0, what they have said before. `input_tokens` is without what came out of the cache or was put there.
 */
export class AnthropicUsage {
  readonly #most = new Map<Name, number>();
  #elsewhere: readonly UsedElsewhere[] | undefined;
  #thought = 0;

  add(value: unknown): void {
    const usage = fields(value);
    const iterations = list(usage['iterations']).map(fields);
    for (const name of NAMES) {
      const said = count(usage[name]);
      const all = said === undefined ? undefined : said + asides(said, iterations, name);
      if (all !== undefined && all >= (this.#most.get(name) ?? 0)) this.#most.set(name, all);
    }
    if (iterations.length > 0) this.#elsewhere = iterations.flatMap(usedElsewhere);
    this.#thought = Math.max(this.#thought, count(fields(usage['output_tokens_details'])['thinking_tokens']) ?? 0);
  }

  /** Undefined while nothing was said. */
  get tokens(): ModelTokens | undefined {
    if (this.#most.size === 0) return undefined;
    const tokens = tokensOf((name) => this.#most.get(name));
    return { ...tokens, reasoning: Math.min(this.#thought, tokens.output) };
  }

  /** What of it other models have used. */
  get elsewhere(): readonly UsedElsewhere[] | undefined {
    return this.#elsewhere?.length === 0 ? undefined : this.#elsewhere;
  }
}

/**
 * What the server spent beside the answer itself, on advice of another model or on shortening the conversation: that is in `iterations`, and not in
 * the number beside them, unless that is as large as all of them together.
 */
function asides(said: number, iterations: readonly Fields[], name: Name): number {
  const sum = (some: readonly Fields[]) => some.reduce((all, iteration) => all + (count(iteration[name]) ?? 0), 0);
  if (said >= sum(iterations)) return 0;
  return sum(iterations.filter(({ type }) => !ANSWERING.has(text(type) ?? '')));
}

/** The model that was asked, and one that answered in its place: these are the number itself. */
const ANSWERING: ReadonlySet<string> = new Set(['message', 'fallback_message']);

function usedElsewhere(iteration: Fields): UsedElsewhere[] {
  const model = text(iteration['model'])?.slice(0, LONGEST_NAME);
  if (model === undefined || iteration['type'] === 'message') return [];
  return [{ model, tokens: { ...tokensOf((name) => count(iteration[name])), reasoning: 0 } }];
}

const LONGEST_NAME = 200;

function tokensOf(of: (name: Name) => number | undefined): Omit<ModelTokens, 'reasoning'> {
  const [input = 0, cached = 0, cacheWrite = 0, output = 0] = NAMES.map(of);
  return { input: input + cached + cacheWrite, cached, cacheWrite, output };
}
