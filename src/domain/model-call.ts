import { z } from 'zod';

/** The protocols in which agents and models talk. */
export const ModelApi = z.enum(['responses', 'chat', 'anthropic', 'gemini']);
export type ModelApi = z.infer<typeof ModelApi>;

/**
 * Tokens by kind: `input` is all that was read, `cached` and `cacheWrite` the parts of it that came out of a cache or were put into one;
 * `output` is all that was produced, `reasoning` the part of it that was thought.
 */
export const ModelTokens = z.object({
  input: z.number(),
  cached: z.number(),
  cacheWrite: z.number(),
  output: z.number(),
  reasoning: z.number(),
});
export type ModelTokens = z.infer<typeof ModelTokens>;

export const NO_TOKENS: ModelTokens = { input: 0, cached: 0, cacheWrite: 0, output: 0, reasoning: 0 };

/** One request to a model that went through the gateway, as it ended. */
export const ModelCall = z.object({
  id: z.string(),
  api: ModelApi,
  /** The upstream's `host:port`. */
  host: z.string(),
  /** As the answer names it, else as it was asked for, with `+TIER` behind it at a dearer tier of service; null where neither says. */
  model: z.string().nullable(),
  /** The name of the credential that was added, never what it is; null where none was. */
  credential: z.string().nullable(),
  /** The HTTP status that the upstream answered with; null where it did not. */
  status: z.int().nullable(),
  /** `cut`: it had been sent on, and was not let come to its end, whoever broke it off. */
  outcome: z.enum(['answered', 'failed', 'cut']),
  /** Null where nobody knows. */
  tokens: ModelTokens.nullable(),
  /** Whether some of the tokens were estimated here, because the answer was cut before the upstream had said them. */
  estimated: z.boolean(),
  /** US dollars; null where the price of the model, or the tokens, are not known. */
  cost: z.number().nullable(),
  /** Milliseconds since the epoch. */
  startedAt: z.number(),
  /** Milliseconds from the request's end to the answer's first byte; null where none came. */
  firstByteMs: z.number().nullable(),
  durationMs: z.number(),
});
export type ModelCall = z.infer<typeof ModelCall>;
