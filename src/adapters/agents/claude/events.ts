import { z } from 'zod';

// What `claude -p --output-format stream-json` writes, as far as it is used here. Everything may be missing: another version may say less.

const Text = z.string().catch('');
const Tokens = z.number().catch(0);

/** Of one answer of the model: what came from a cache is not in `input_tokens`. */
const MessageUsage = z.object({
  input_tokens: Tokens,
  output_tokens: Tokens,
  cache_creation_input_tokens: Tokens,
  cache_read_input_tokens: Tokens,
});
export type MessageUsage = z.infer<typeof MessageUsage>;

/** Of one model, since the session began, its helpers' work included. */
export const ModelUsage = z.object({
  inputTokens: Tokens,
  outputTokens: Tokens,
  cacheReadInputTokens: Tokens,
  cacheCreationInputTokens: Tokens,
  thinkingTokens: Tokens,
});
export type ModelUsage = z.infer<typeof ModelUsage>;

const Block = z.union([
  z.object({ type: z.literal('text'), text: Text }),
  z.object({ type: z.literal('tool_use'), id: z.string(), name: Text, input: z.unknown().optional() }),
  z.object({
    type: z.literal('tool_result'),
    tool_use_id: z.string(),
    content: z.unknown().optional(),
    is_error: z.boolean().nullish().catch(false),
  }),
  z.object({ type: z.string() }).transform(() => ({ type: 'other' as const })),
]);
export type Block = z.infer<typeof Block>;

const Blocks = z.array(Block).catch([]);

/** What claude says in the model's place when a request has failed. */
const ApiError = {
  error: z.string().optional().catch(undefined),
  api_error: z.string().optional().catch(undefined),
  is_api_error_message: z.boolean().catch(false),
};

export const ClaudeEvent = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('system'),
    subtype: Text,
    session_id: Text,
    attempt: z.number().catch(0),
    max_retries: z.number().catch(0),
    error_status: z.number().nullish().catch(null),
    error: Text,
  }),
  z.object({
    type: z.literal('assistant'),
    message: z.object({ id: Text, content: Blocks, usage: MessageUsage.optional().catch(undefined) }),
    ...ApiError,
  }),
  z.object({ type: z.literal('user'), message: z.object({ content: Blocks }) }),
  z.object({
    type: z.literal('result'),
    subtype: Text,
    is_error: z.boolean().catch(false),
    api_error_status: z.number().nullish().catch(null),
    result: Text,
    errors: z.array(Text).catch([]),
    total_cost_usd: z.number().nullish().catch(null),
    usage: MessageUsage.optional().catch(undefined),
    modelUsage: z.record(z.string(), ModelUsage).optional().catch(undefined),
  }),
]);
export type ClaudeEvent = z.infer<typeof ClaudeEvent>;
export type ClaudeResult = Extract<ClaudeEvent, { type: 'result' }>;
export type ClaudeAnswer = Extract<ClaudeEvent, { type: 'assistant' }>;
