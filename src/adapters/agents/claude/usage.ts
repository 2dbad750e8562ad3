import { addUsage, NO_USAGE, type Usage } from '../../../domain/run.ts';
import type { AgentEvent } from '../../../ports/agent.ts';
import type { ClaudeAnswer, ClaudeResult, MessageUsage, ModelUsage } from './events.ts';
import type { CostState } from './session-file.ts';

/**
 * Tells what a turn uses as it goes, so that limits hold within it and a turn that is cut short has told most of it. The result tells the rest: the
 * price, tokens that were produced after an answer had begun, and what helpers used.
 */
export class TurnUsage {
  readonly #before: CostState | undefined;
  /** Of the answer that is being told: its blocks come one by one, each with all that is known of its usage. */
  #answer = { id: '', told: NO_USAGE };
  #told: Usage = NO_USAGE;

  constructor(before: CostState | undefined) {
    this.#before = before;
  }

  answer({ message: { id, usage } }: ClaudeAnswer): AgentEvent[] {
    if (usage === undefined) return [];
    if (id !== this.#answer.id) this.#answer = { id, told: NO_USAGE };
    const now = ofMessage(usage);
    const news = beyond(now, this.#answer.told);
    this.#answer.told = now;
    return this.#tell(news);
  }

  result({ modelUsage, usage, total_cost_usd: totalCost }: ClaudeResult): AgentEvent[] {
    const total = modelUsage === undefined ? undefined : ofModels(modelUsage);
    const before = this.#before === undefined ? NO_USAGE : ofModels(this.#before.modelUsage);
    const own = total === undefined ? ofMessage(usage ?? NO_TOKENS) : beyond(total, before);
    const cost = (totalCost ?? 0) - (this.#before?.totalCostUSD ?? 0);
    // What costs nothing is work of which claude does not know the price.
    return this.#tell({ ...beyond(own, this.#told), cost: cost > 0 ? cost : null });
  }

  #tell(usage: Usage): AgentEvent[] {
    this.#told = { ...addUsage(this.#told, usage), cost: null };
    const isNothing = usage.input + usage.output + usage.cached + usage.reasoning === 0 && usage.cost === null;
    return isNothing ? [] : [{ kind: 'usage', usage }];
  }
}

const NO_TOKENS: MessageUsage = {
  input_tokens: 0,
  output_tokens: 0,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
};

function ofMessage(usage: MessageUsage): Usage {
  const { input_tokens: fresh, cache_read_input_tokens: cached, cache_creation_input_tokens: created } = usage;
  return { ...NO_USAGE, input: fresh + cached + created, cached, output: usage.output_tokens };
}

function ofModels(models: Readonly<Record<string, ModelUsage>>): Usage {
  return Object.values(models).reduce<Usage>(
    (all, { inputTokens, outputTokens, cacheReadInputTokens, cacheCreationInputTokens, thinkingTokens }) =>
      addUsage(all, {
        input: inputTokens + cacheReadInputTokens + cacheCreationInputTokens,
        output: outputTokens,
        cached: cacheReadInputTokens,
        reasoning: thinkingTokens,
        cost: null,
      }),
    NO_USAGE,
  );
}

function beyond(all: Usage, known: Usage): Usage {
  const left = (field: 'input' | 'output' | 'cached' | 'reasoning') => Math.max(0, all[field] - known[field]);
  return {
    input: left('input'),
    output: left('output'),
    cached: left('cached'),
    reasoning: left('reasoning'),
    cost: null,
  };
}
