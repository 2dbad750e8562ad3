import { z } from 'zod';

// What `pi --mode json` writes, as far as it is used here. Everything may be missing: another version may say less.

const Text = z.string().catch('');
const Tokens = z.number().catch(0);

const PiUsage = z.object({
  input: Tokens,
  output: Tokens,
  cacheRead: Tokens,
  cacheWrite: Tokens,
  reasoning: Tokens,
  cost: z.object({ total: Tokens }).catch({ total: 0 }),
});
export type PiUsage = z.infer<typeof PiUsage>;

const Part = z.object({ type: Text, text: Text });

const Message = z.object({
  role: Text,
  content: z.array(Part).catch([]),
  usage: PiUsage.optional().catch(undefined),
  stopReason: Text,
  errorMessage: Text,
});
export type Message = z.infer<typeof Message>;

const Call = { toolCallId: z.string(), toolName: Text };

export const PiEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('session'), id: z.string() }),
  z.object({ type: z.literal('message_end'), message: Message }),
  z.object({ type: z.literal('tool_execution_start'), ...Call, args: z.unknown().optional() }),
  z.object({
    type: z.literal('tool_execution_end'),
    ...Call,
    result: z.object({ content: z.array(Part).catch([]) }).catch({ content: [] }),
    isError: z.boolean().catch(false),
  }),
  z.object({
    type: z.literal('auto_retry_start'),
    attempt: z.number().catch(0),
    maxAttempts: z.number().catch(0),
    errorMessage: Text,
  }),
  /** Nothing more comes by itself, neither another try nor anything that was queued. */
  z.object({ type: z.literal('agent_settled') }),
]);
export type PiEvent = z.infer<typeof PiEvent>;
