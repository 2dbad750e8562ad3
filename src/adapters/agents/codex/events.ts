import { z } from 'zod';

// What `codex exec --json` writes, as far as it is used here. Everything may be missing: another version may say less.

const Text = z.string().catch('');

const Tokens = z.number().catch(0);
export const ThreadUsage = z.object({
  input_tokens: Tokens,
  cached_input_tokens: Tokens,
  output_tokens: Tokens,
  reasoning_output_tokens: Tokens,
});
export type ThreadUsage = z.infer<typeof ThreadUsage>;

const Id = { id: z.string() };

export const CodexItem = z.discriminatedUnion('type', [
  z.object({ ...Id, type: z.literal('agent_message'), text: Text }),
  z.object({
    ...Id,
    type: z.literal('command_execution'),
    command: Text,
    aggregated_output: Text,
    exit_code: z.number().nullish().catch(null),
  }),
  z.object({
    ...Id,
    type: z.literal('file_change'),
    changes: z.array(z.object({ path: Text })).catch([]),
    status: Text,
  }),
  z.object({
    ...Id,
    type: z.literal('mcp_tool_call'),
    server: Text,
    tool: Text,
    arguments: z.unknown().optional(),
    result: z.unknown().optional(),
    error: z.unknown().optional(),
    status: Text,
  }),
  z.object({ ...Id, type: z.literal('web_search'), query: Text }),
  /** Only ever a warning: what ends a turn is an event of its own. */
  z.object({ ...Id, type: z.literal('error'), message: Text }),
]);
export type CodexItem = z.infer<typeof CodexItem>;

export const CodexEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('thread.started'), thread_id: z.string() }),
  z.object({ type: z.literal('item.started'), item: CodexItem }),
  z.object({ type: z.literal('item.completed'), item: CodexItem }),
  z.object({ type: z.literal('turn.completed'), usage: ThreadUsage }),
  z.object({ type: z.literal('turn.failed'), error: z.object({ message: Text }) }),
  /** A try that failed, after which it may try again. */
  z.object({ type: z.literal('error'), message: Text }),
]);
export type CodexEvent = z.infer<typeof CodexEvent>;
