import { z } from 'zod';

export const AgentKind = z.enum([
  'claude',
  'codex',
  'pi',
  'gemini',
  'opencode',
  'copilot',
  'acp',
  'custom',
  'builtin',
  'scripted',
]);

/** One agent in `$SWITCHYARD_HOME/config.yaml`. Only the machine's owner names commands and keys; a repository never can. */
export const AgentEntry = z.strictObject({
  kind: AgentKind,
  command: z.array(z.string().min(1)).min(1).optional(),
  model: z.string().optional(),
  endpoint: z
    .strictObject({
      api: z.enum(['responses', 'chat', 'anthropic', 'gemini']),
      baseUrl: z.url(),
      key: z.strictObject({ env: z.string() }).optional(),
    })
    .optional(),
  login: z.string().optional(),
  env: z.record(z.string(), z.string()).default({}),
  args: z.array(z.string()).default([]),
  /** `custom` only: what its standard output is. */
  format: z.enum(['text', 'jsonl']).optional(),
  /** `scripted` only: the file that says what it does, relative to the configuration. */
  script: z.string().optional(),
});
export type AgentEntry = z.infer<typeof AgentEntry>;

/** The names under which a limit on a provider counts the agent: its own, its kind, and the host of its endpoint. */
export function providersOf(name: string, { kind, endpoint }: AgentEntry): string[] {
  const host = endpoint === undefined ? [] : [new URL(endpoint.baseUrl).host];
  return [...new Set([name, kind, ...host])];
}
