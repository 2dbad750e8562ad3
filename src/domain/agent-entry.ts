import { z } from 'zod';
import { ModelApi } from './model-call.ts';
import { addressOf, ModelCloud } from './model-cloud.ts';
import { SecretName } from './secret.ts';

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

/**
 * Where a key is, never the key itself: in a variable of the daemon's environment, or a secret for all repositories, of which exactly one is
 * named. What is no name is not shown again.
 */
const AgentKey = z
  .strictObject({
    env: z
      .string()
      .regex(
        /^[A-Za-z_][A-Za-z0-9_]*$/,
        'the name of an environment variable goes here, as OPENAI_API_KEY, and not the key itself',
      )
      .optional(),
    secret: SecretName.optional(),
  })
  .refine(
    ({ env, secret }) => (env === undefined) !== (secret === undefined),
    'write either `env: NAME`, a variable, or `secret: NAME`, which `switchyard secret set NAME --everywhere` stores',
  )
  .meta({ examples: [{ env: 'OPENAI_API_KEY' }] });
export type AgentKey = z.infer<typeof AgentKey>;

/** What a key is known by, and the variable in which a program would find it. */
export function nameOfKey({ env, secret }: AgentKey): string {
  return env ?? secret ?? '';
}

/** All that an agent signs in with, in the order in which they are used. */
export function keysOf({ endpoint }: Pick<AgentEntry, 'endpoint'>): AgentKey[] {
  return endpoint === undefined ? [] : [endpoint.key, ...(endpoint.spareKeys ?? [])].filter((key) => key !== undefined);
}

/** Names of secrets for all repositories that are keys of these agents: no program gets them. */
export function secretsOfAgents(agents: Readonly<Record<string, AgentEntry>>): ReadonlySet<string> {
  return new Set(Object.values(agents).flatMap((entry) => keysOf(entry).flatMap(({ secret }) => secret ?? [])));
}

/** The server of an agent's model. `baseUrl` is the cloud's own address where one is named and nothing else is. */
const ModelEndpoint = z
  .strictObject({
    api: ModelApi,
    baseUrl: z
      .url({
        protocol: /^https?$/,
        error: ({ input }) =>
          /^https?:\/\//i.test(String(input)) ? 'this is not an address' : 'begin it with http:// or https://',
      })
      .optional(),
    key: AgentKey.optional(),
    /** Gone over to, in this order, while the quota of the one before is used up. */
    spareKeys: z.array(AgentKey).optional(),
    /** Where the model is a cloud's, which has forms and identities of its own. */
    cloud: ModelCloud.optional(),
    /** The only models that may be asked for; `*` stands for anything. */
    models: z.array(z.string().min(1)).min(1).optional(),
  })
  .transform(({ baseUrl, ...endpoint }, context) => {
    const address = baseUrl ?? (endpoint.cloud === undefined ? undefined : addressOf(endpoint.cloud));
    if (address !== undefined) return { ...endpoint, baseUrl: address };
    context.addIssue({ code: 'invalid_type', expected: 'string', input: undefined, path: ['baseUrl'] });
    return z.NEVER;
  });

/** One agent in `$SWITCHYARD_HOME/config.yaml`. Only the machine's owner names commands and keys; a repository never can. */
export const AgentEntry = z.strictObject({
  kind: AgentKind,
  command: z.array(z.string().min(1)).min(1).optional(),
  model: z.string().optional(),
  endpoint: ModelEndpoint.optional(),
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
