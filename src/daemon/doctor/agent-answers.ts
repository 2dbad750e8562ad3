import { type AgentEntry, type AgentKey, keysOf, nameOfKey } from '../../domain/agent-entry.ts';
import { wireOf } from '../../gateway/model/wires/index.ts';
import { messageOf } from '../../lib/error.ts';
import type { AgentsToExamine } from './agents.ts';
import type { DoctorRow } from './report.ts';

type Endpoint = NonNullable<AgentEntry['endpoint']>;

const ANSWER_MS = 5_000;

/** What needs a key and costs nothing: the list of models, below the address. */
const MODELS: Readonly<Record<Endpoint['api'], ListOfModels>> = {
  responses: { path: '/models' },
  chat: { path: '/models' },
  anthropic: { path: '/v1/models', headers: { 'anthropic-version': '2023-06-01' } },
  gemini: { path: '/v1beta/models', refusals: [400] },
};

interface ListOfModels {
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Statuses of a refused key, beside the usual ones. */
  readonly refusals?: readonly number[];
}

/** Those that say that a key is not taken. */
const REFUSALS: readonly number[] = [401, 403];

/**
 * Whether the address of an agent answers, and takes its keys, the spare ones too. Where there is no key that could be asked with, and of
 * clouds, which have no such list, any answer at all shows that the address is reached.
 */
export async function answerRows(
  entry: AgentEntry,
  { env, signal, secrets }: Pick<AgentsToExamine, 'env' | 'signal' | 'secrets'>,
): Promise<DoctorRow[]> {
  const { endpoint } = entry;
  if (endpoint === undefined)
    return [{ level: 'info', name: 'online', text: 'no address is configured, so none was asked' }];
  const limit = AbortSignal.any([AbortSignal.timeout(ANSWER_MS), ...(signal === undefined ? [] : [signal])]);
  const named = keysOf(entry);
  const stored = named.some(({ secret }) => secret !== undefined) ? await secrets.read().catch(() => []) : [];
  const keys = named.flatMap((key) => {
    const kept = stored.find(({ name, repository }) => name === key.secret && repository === null);
    const value = (key.secret === undefined ? env[key.env ?? ''] : kept?.value) ?? '';
    return value === '' || endpoint.cloud !== undefined ? [] : [{ key, value }];
  });
  if (keys.length === 0) return [await reached(endpoint, limit)];
  return await Promise.all(keys.map((key) => taken(endpoint, key, limit)));
}

async function reached({ baseUrl }: Endpoint, signal: AbortSignal): Promise<DoctorRow> {
  const status = await statusOf(baseUrl, {}, signal);
  return typeof status === 'number' ? ok(`${baseUrl} answers (HTTP ${status})`) : silent(baseUrl, status);
}

async function taken(
  { api, baseUrl }: Endpoint,
  { key, value }: { readonly key: AgentKey; readonly value: string },
  signal: AbortSignal,
): Promise<DoctorRow> {
  const name = nameOfKey(key);
  if (/[^\x21-\x7e]/.test(value)) {
    return unusable(`the key in ${name} holds a blank, the end of a line or another character that no key has`, key);
  }
  const { path, headers, refusals = [] } = MODELS[api];
  const address = new URL(baseUrl);
  address.pathname = address.pathname.replace(/\/+$/, '') + path;
  const status = await statusOf(address.href, { ...headers, ...wireOf(api).credential(value, name) }, signal);
  if (typeof status !== 'number') return silent(baseUrl, status);
  if ([...REFUSALS, ...refusals].includes(status)) {
    return unusable(`${baseUrl} refuses the key in ${name} (HTTP ${status})`, key);
  }
  const isGood = status >= 200 && status < 300;
  return ok(
    `${baseUrl} answers (HTTP ${status})${isGood ? ` and takes the key in ${name}` : `; whether the key in ${name} is good, only a run can tell`}`,
  );
}

/** The status of its answer, or why there is none. Nothing is followed elsewhere. */
async function statusOf(
  url: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<number | { readonly why: string }> {
  try {
    const answer = await fetch(url, { headers, redirect: 'manual', signal });
    await answer.body?.cancel();
    return answer.status;
  } catch (error) {
    return { why: messageOf(error instanceof Error && error.cause instanceof Error ? error.cause : error) };
  }
}

function ok(text: string): DoctorRow {
  return { level: 'ok', name: 'online', text };
}

function unusable(text: string, { env, secret }: AgentKey): DoctorRow {
  const hint =
    secret === undefined
      ? `Set ${env} to one that is good there, then \`switchyard server restart\` in that shell.`
      : `Set one that is good there: \`switchyard secret set ${secret} --everywhere\`.`;
  return { level: 'problem', name: 'online', text, hint };
}

function silent(baseUrl: string, { why }: { readonly why: string }): DoctorRow {
  return {
    level: 'problem',
    name: 'online',
    text: `${baseUrl} does not answer: ${why}`,
    hint: 'Look at baseUrl in config.yaml, and at this machine’s way to the network.',
  };
}
