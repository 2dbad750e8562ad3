import { type AgentEntry, nameOfKey } from '../../../domain/agent-entry.ts';

/** The whole of config.toml for an entry. Nothing of a person's own configuration is merged in. */
export function codexConfig({ model, endpoint }: AgentEntry): string {
  const lines = ['# Written by Switchyard before each turn; changes are lost.'];
  if (model !== undefined) lines.push(`model = ${text(model)}`);
  if (endpoint !== undefined) lines.push(`model_provider = ${text(PROVIDER)}`);
  lines.push('check_for_update_on_startup = false', '', '[analytics]', 'enabled = false');
  if (endpoint !== undefined) {
    const key = endpoint.key && nameOfKey(endpoint.key);
    lines.push('', `[model_providers.${PROVIDER}]`, `name = ${text(PROVIDER)}`, `base_url = ${text(endpoint.baseUrl)}`);
    lines.push('wire_api = "responses"', 'request_max_retries = 2', 'stream_max_retries = 3');
    if (key !== undefined) {
      // The key is for codex, not for the commands that it runs.
      lines.push(`env_key = ${text(key)}`, '', '[shell_environment_policy]', `exclude = [${text(key)}]`);
    }
  }
  return `${lines.join('\n')}\n`;
}

/** As a value of `-c`: codex is not to ask in a terminal whether the folder is trusted. It takes no endpoint from a trusted folder either. */
export function trusting(folder: string): string {
  return `projects={${text(folder)}={trust_level="trusted"}}`;
}

const PROVIDER = 'switchyard';

/** A string in TOML: as in JSON, but for one letter that JSON leaves alone. */
function text(value: string): string {
  return JSON.stringify(value).replaceAll('\u007f', '\\u007f');
}
