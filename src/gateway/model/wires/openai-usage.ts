import type { ModelTokens } from '../../../domain/model-call.ts';
import { count, type Fields, fields } from './fields.ts';

/**
 * `usage` of OpenAI's interfaces, in the names of Responses (`input_tokens`, `input_tokens_details`, …) or of Chat Completions
 * (`prompt_tokens`, `prompt_tokens_details`, …). Cached tokens are a part of the input, reasoning is one of the output. Undefined where nothing is
 * said. Servers of others say in other places what was cached; and some leave their reasoning out of the output, though not out of the sum.
 */
export function openaiTokens(value: unknown): ModelTokens | undefined {
  const usage = fields(value);
  const input = count(usage['input_tokens']) ?? count(usage['prompt_tokens']);
  const output = count(usage['output_tokens']) ?? count(usage['completion_tokens']);
  return input === undefined && output === undefined ? undefined : parts(usage, input ?? 0, output ?? 0);
}

function parts(usage: Fields, input: number, said: number): ModelTokens {
  const read = fields(usage['input_tokens_details'] ?? usage['prompt_tokens_details']);
  const written = fields(usage['output_tokens_details'] ?? usage['completion_tokens_details']);
  const cached =
    count(read['cached_tokens']) ?? count(usage['prompt_cache_hit_tokens']) ?? count(usage['cached_tokens']) ?? 0;
  const output = Math.max(said, (count(usage['total_tokens']) ?? 0) - input);
  return {
    input,
    cached: Math.min(cached, input),
    cacheWrite: Math.min(count(read['cache_write_tokens']) ?? 0, input),
    output,
    reasoning: Math.min(count(written['reasoning_tokens']) ?? 0, output),
  };
}
