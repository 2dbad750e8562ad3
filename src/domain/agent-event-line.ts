import { z } from 'zod';

/**
 * One line of the output of an agent that speaks our own format (`custom` with `format: jsonl`, and `scripted`): a JSON object whose `kind`
 * says what happened. The lines come in the order of a turn's life; `end` is the last and nothing but it says how the turn went.
 * Fields that are unknown are ignored, so that an agent may say more than this.
 */
export const AgentEventLine = z.discriminatedUnion('kind', [
  /** The name under which a later turn can go on with this conversation; told once, as early as possible. */
  z.object({ kind: z.literal('session'), id: z.string().min(1) }),
  z.object({ kind: z.literal('text'), text: z.string() }),
  /** `call` ties a tool's end to its start; between the two, silence is no sign of a stalled agent. */
  z.object({ kind: z.literal('tool-started'), call: z.string(), name: z.string(), input: z.string().default('') }),
  z.object({
    kind: z.literal('tool-ended'),
    call: z.string(),
    name: z.string().default(''),
    output: z.string().default(''),
    ok: z.boolean().default(true),
  }),
  /** What was used since the last such line, not in all. */
  z.object({
    kind: z.literal('usage'),
    usage: z.object({
      input: z.number().nonnegative(),
      output: z.number().nonnegative(),
      cached: z.number().nonnegative().default(0),
      reasoning: z.number().nonnegative().default(0),
      cost: z.number().nonnegative().nullable().default(null),
    }),
  }),
  z.object({ kind: z.literal('warning'), text: z.string() }),
  z.object({
    kind: z.literal('end'),
    result: z
      .discriminatedUnion('kind', [
        z.object({ kind: z.literal('done') }),
        z.object({
          kind: z.literal('failed'),
          failure: z.object({
            class: z
              .enum(['auth', 'quota', 'rate-limit', 'network', 'bug', 'refused', 'unknown-session', 'unknown'])
              .catch('unknown'),
            message: z.string(),
            hint: z.string().default(''),
          }),
        }),
      ])
      .default({ kind: 'done' }),
  }),
]);
export type AgentEventLine = z.infer<typeof AgentEventLine>;
