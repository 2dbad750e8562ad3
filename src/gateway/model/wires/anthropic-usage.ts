import type { ModelTokens } from '../../../domain/model-call.ts';
import { count, fields, list } from './fields.ts';

const NAMES = ['input_tokens', 'cache_read_input_tokens', 'cache_creation_input_tokens', 'output_tokens'] as const;

/**
 * Adds up what Anthropic says in several places of one answer. Each number counts from the beginning, so that the largest is the latest; some
 * servers leave out, or set to 0, what they have said before. `input_tokens` is without what came out of the cache or was put there.
 */
export class AnthropicUsage {
  readonly #most = new Map<string, number>();
  #thought = 0;

  add(value: unknown): void {
    const usage = fields(value);
    const aside = asides(usage['iterations']);
    for (const name of NAMES) {
      const said = count(usage[name]);
      const all = said === undefined ? undefined : said + (aside.get(name) ?? 0);
      if (all !== undefined && all >= (this.#most.get(name) ?? 0)) this.#most.set(name, all);
    }
    this.#thought = Math.max(this.#thought, count(fields(usage['output_tokens_details'])['thinking_tokens']) ?? 0);
  }

  /** Undefined while nothing was said. */
  get tokens(): ModelTokens | undefined {
    if (this.#most.size === 0) return undefined;
    const [input = 0, cached = 0, cacheWrite = 0, output = 0] = NAMES.map((name) => this.#most.get(name));
    return {
      input: input + cached + cacheWrite,
      cached,
      cacheWrite,
      output,
      reasoning: Math.min(this.#thought, output),
    };
  }
}

/** What the server spent on shortening the conversation; that is not in the numbers beside it. */
function asides(iterations: unknown): Map<string, number> {
  const sums = new Map<string, number>();
  for (const iteration of list(iterations).map(fields)) {
    if (iteration['type'] !== 'compaction') continue;
    for (const name of NAMES) sums.set(name, (sums.get(name) ?? 0) + (count(iteration[name]) ?? 0));
  }
  return sums;
}
