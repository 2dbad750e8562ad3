import { lstat, readFile, stat } from 'node:fs/promises';
import { type AgentEntry, type AgentKey, nameOfKey } from '../domain/agent-entry.ts';
import { messageOf, SwitchyardError } from '../lib/error.ts';
import type { AgentTurn } from './agent.ts';
import { putFile } from './agent-home.ts';

/** How an entry signs in, for `doctor`: one line, no secrets. */
export function describeSignIn({ endpoint, login }: AgentEntry): string {
  if (endpoint?.cloud !== undefined) return describeCloud(endpoint.cloud, endpoint);
  if (endpoint?.key !== undefined) {
    return `${describeKeys(endpoint)}, for ${endpoint.baseUrl}; the gateway adds it outside of the sandbox`;
  }
  if (login !== undefined) return `the subscription login ${login}, which is exposed to the sandbox`;
  return endpoint === undefined ? 'neither a key nor a login is configured' : `no key, for ${endpoint.baseUrl}`;
}

type Endpoint = NonNullable<AgentEntry['endpoint']>;

/** What to do about a key that is not there. */
export function missingKeyHint({ env, secret }: AgentKey): string {
  return secret === undefined
    ? `Set ${env} in your shell, then \`switchyard server restart\` there: the daemon keeps the environment that it was started with.`
    : `Set it: \`switchyard secret set ${secret} --everywhere\`.`;
}

/** Within a sentence, what is not there. */
export function missingKeyText({ env, secret }: AgentKey): string {
  return secret === undefined
    ? `the variable ${env} is not set`
    : `the secret ${secret} is not stored for all repositories`;
}

function describeKeys({ key, spareKeys = [] }: Endpoint): string {
  const first = key?.secret === undefined ? `the key in ${key?.env}` : `the key in the secret ${key.secret}`;
  const spare = spareKeys.map(({ env, secret }) => env ?? `the secret ${secret}`).join(', ');
  return `${first}${spare === '' ? '' : ` (spare: ${spare})`}`;
}

function describeCloud(cloud: NonNullable<Endpoint['cloud']>, endpoint: Endpoint): string {
  const { key, baseUrl } = endpoint;
  const place =
    cloud.kind === 'bedrock' ? `Bedrock in ${cloud.region}` : `Vertex AI, ${cloud.project} in ${cloud.region}`;
  const identity =
    key !== undefined
      ? describeKeys(endpoint)
      : cloud.kind === 'vertex'
        ? 'Google’s application default credentials'
        : cloud.profile === undefined
          ? 'this machine’s identity of AWS'
          : `the AWS profile ${cloud.profile}`;
  return `${identity}, for ${place} (${baseUrl}); the gateway signs requests with it outside of the sandbox`;
}

export interface SignIn {
  /** The protocols in which the agent can talk to an endpoint. */
  readonly apis: readonly NonNullable<AgentEntry['endpoint']>['api'][];
  /** Where a person's login lies when they have signed in by themselves. */
  readonly login: string;
}

/**
 * The key that the entry names, with the name of its variable; undefined when a login or an open endpoint is configured. Throws
 * `agent/wrong-endpoint` for a protocol that the agent does not speak, and `agent/no-key` when there is nothing to sign in with.
 */
export function endpointKey(
  { entry, hostEnv }: AgentTurn,
  { apis, login }: SignIn,
): { readonly name: string; readonly value: string } | undefined {
  const { kind, endpoint } = entry;
  if (endpoint !== undefined && !apis.includes(endpoint.api)) {
    throw new SwitchyardError({
      code: 'agent/wrong-endpoint',
      message: `${kind} cannot speak the protocol "${endpoint.api}"`,
      hint: `Configure an endpoint with \`api: ${apis.join('` or `api: ')}\` for it.`,
    });
  }
  if (endpoint === undefined && entry.login === undefined) {
    throw noKey(
      `${kind} has neither a key nor a login`,
      `Configure \`endpoint\` with a \`key: { env: NAME }\`, or \`login: ${login}\`.`,
    );
  }
  const key = endpoint?.key;
  if (key === undefined) return undefined;
  const name = nameOfKey(key);
  const value = hostEnv[name];
  if (value === undefined || value === '') {
    throw noKey(`${kind} has no key: ${missingKeyText(key)}`, missingKeyHint(key));
  }
  return { name, value };
}

/**
 * Puts the entry's login, if it has one, where the agent looks for it, for nobody else to read. The agent renews tokens in its copy, so
 * that is replaced only when the person has signed in again since. Rejects with `agent/no-key` and `agent/unsafe-home`.
 */
export async function copyLogin({ home, entry: { kind, login } }: AgentTurn, copy: string): Promise<void> {
  if (login === undefined) return;
  const [source, target] = await Promise.all([modified(stat, login), modified(lstat, copy)]);
  if (source === undefined) {
    throw noKey(
      `${kind} has no login: there is no file ${login}`,
      `Sign in with ${kind} itself, or correct \`login\` in config.yaml.`,
    );
  }
  if (target !== undefined && target >= source) return;
  const content = await readFile(login).catch((error: unknown) => {
    throw noKey(
      `the login ${login} cannot be copied: ${messageOf(error)}`,
      'The user that runs Switchyard must be able to read it.',
      error,
    );
  });
  await putFile(home, copy, content);
}

/** Of a regular file: what has its name otherwise is replaced. */
async function modified(look: typeof stat, file: string): Promise<number | undefined> {
  try {
    const facts = await look(file);
    return facts.isFile() ? facts.mtimeMs : undefined;
  } catch {
    return undefined; // not there
  }
}

function noKey(message: string, hint: string, cause?: unknown): SwitchyardError {
  return new SwitchyardError({ code: 'agent/no-key', message, hint, cause });
}
