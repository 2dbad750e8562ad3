import { join } from 'node:path';
import type { AgentTurn } from '../../../ports/agent.ts';
import { endpointKey } from '../../../ports/agent-sign-in.ts';

/** Variables that claude takes a credential from, besides ANTHROPIC_API_KEY; a key in a variable of another name is taken for an API key. */
const CREDENTIALS = ['ANTHROPIC_AUTH_TOKEN', 'CLAUDE_CODE_OAUTH_TOKEN'];

/**
 * What claude's environment has beyond that of every agent. With an endpoint, the provider is said to be the host's: then no settings of the
 * repository can lead requests, and the key with them, elsewhere, and claude keeps the key from the commands that it runs.
 */
export function claudeEnv(turn: AgentTurn): Record<string, string> {
  const key = endpointKey(turn, { apis: ['anthropic'], login: '~/.claude/.credentials.json' });
  const baseUrl = baseUrlOf(turn);
  const isHosts = turn.entry.login === undefined;
  return {
    CLAUDE_CONFIG_DIR: configFolder(turn.inside),
    CLAUDE_CODE_TMPDIR: join(turn.inside.home, 'tmp'),
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    CLAUDE_CODE_MAX_RETRIES: '3',
    DISABLE_AUTOUPDATER: '1',
    DISABLE_TELEMETRY: '1',
    DISABLE_ERROR_REPORTING: '1',
    // The walls are the harness's; without this, claude refuses to work unasked as root.
    IS_SANDBOX: '1',
    ...(baseUrl !== undefined && { ANTHROPIC_BASE_URL: baseUrl }),
    ...(isHosts && { CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST: '1', ...credential(key) }),
  };
}

/**
 * Settings that win over the repository's. A login cannot be the host's, so the address is fixed this way: a repository may not send the login
 * elsewhere.
 */
export function claudeSettings(turn: AgentTurn): string {
  const env = turn.entry.login === undefined ? {} : { ANTHROPIC_BASE_URL: baseUrlOf(turn) ?? DEFAULT_BASE_URL };
  return JSON.stringify({ env, skipDangerousModePermissionPrompt: true });
}

export function configFolder({ home }: Pick<AgentTurn, 'home'>): string {
  return join(home, '.claude');
}

const DEFAULT_BASE_URL = 'https://api.anthropic.com';

/** Claude adds the version to the path by itself; an address that has it, as those for other agents do, means the same. */
function baseUrlOf({ entry }: AgentTurn): string | undefined {
  return entry.endpoint?.baseUrl.replace(/\/v1\/?$/, '');
}

/** Without any, claude does not start; a server that wants none does not mind this one. */
function credential(key: { readonly name: string; readonly value: string } | undefined): Record<string, string> {
  if (key === undefined) return { ANTHROPIC_AUTH_TOKEN: 'none' };
  return { [CREDENTIALS.includes(key.name) ? key.name : 'ANTHROPIC_API_KEY']: key.value };
}
