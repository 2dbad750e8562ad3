import { type AgentEntry, nameOfKey } from '../../../domain/agent-entry.ts';
import { SwitchyardError } from '../../../lib/error.ts';

/** The name under which pi knows the entry's endpoint. */
export const PROVIDER = 'switchyard';

/** The protocols of an endpoint that pi speaks. */
export const ENDPOINT_APIS = ['chat', 'responses', 'anthropic'] as const;

const APIS: Readonly<Record<string, string>> = {
  chat: 'openai-completions',
  responses: 'openai-responses',
  anthropic: 'anthropic-messages',
};

/** The whole of models.json for an entry: its endpoint, with its one model. Throws `agent/wrong-endpoint` when it names none. */
export function piModels({ endpoint, model }: AgentEntry): object {
  if (endpoint === undefined) return { providers: {} };
  if (model === undefined) {
    throw new SwitchyardError({
      code: 'agent/wrong-endpoint',
      message: 'pi does not know which model to ask for at its endpoint',
      hint: 'Add `model: NAME` to it in config.yaml.',
    });
  }
  const { api, baseUrl, key } = endpoint;
  const provider = {
    // This protocol has its version in pi's own paths; an address that has it too means the same.
    baseUrl: api === 'anthropic' ? baseUrl.replace(/\/v1\/?$/, '') : baseUrl,
    api: APIS[api],
    // Without any, pi does not start; a server that wants none does not mind this one.
    apiKey: key === undefined ? 'none' : `$${nameOfKey(key)}`,
    models: [{ id: model }],
  };
  return { providers: { [PROVIDER]: provider } };
}

/** The whole of settings.json. Nothing of a person's own configuration is merged in. */
export function piSettings({ endpoint }: AgentEntry): object {
  const key = endpoint?.key && nameOfKey(endpoint.key);
  return {
    retry: { maxRetries: 2, baseDelayMs: 1000, maxAgentDelayMs: 10_000 },
    enableInstallTelemetry: false,
    enableAnalytics: false,
    defaultProjectTrust: 'never',
    quietStartup: true,
    // The key is for pi, not for the commands that it runs.
    ...(key !== undefined && { shellCommandPrefix: `unset ${key}` }),
  };
}
