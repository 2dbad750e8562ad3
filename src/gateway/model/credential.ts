import type { OutgoingHttpHeaders } from 'node:http';
import type { AgentEntry } from '../../domain/agent-entry.ts';
import { SwitchyardError } from '../../lib/error.ts';
import type { Wire } from './wire.ts';

/** What opens the upstream. It is added to requests on their way, and told to nobody. */
export interface Credential {
  /** For people: the name of the variable that holds it; null for none at all. */
  readonly name: string | null;
  /** The headers that a request is to have beside its own. Rejects with a SwitchyardError when there is nothing to sign in with any more. */
  authorize(request: UnsignedRequest): Promise<Readonly<Record<string, string>>>;
}

export interface UnsignedRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Buffer;
}

/**
 * The credentials of an agent's endpoint, in the order in which they are used: the next one when the quota of one is used up. Throws
 * `agent/no-key` for a variable that is not set.
 */
export function credentialsOf(
  wire: Wire,
  endpoint: NonNullable<AgentEntry['endpoint']>,
  hostEnv: Readonly<Record<string, string | undefined>>,
): readonly [Credential, ...Credential[]] {
  const names = [endpoint.key, ...(endpoint.spareKeys ?? [])].flatMap((key) => (key === undefined ? [] : [key.env]));
  const [first, ...rest] = names.map((name) => keyIn(wire, name, hostEnv[name]));
  return first === undefined ? [NO_CREDENTIAL] : [first, ...rest];
}

const NO_CREDENTIAL: Credential = { name: null, authorize: () => Promise.resolve({}) };

function keyIn(wire: Wire, name: string, value: string | undefined): Credential {
  if (value === undefined || value === '') {
    throw new SwitchyardError({
      code: 'agent/no-key',
      message: `There is no key: the variable ${name} is not set.`,
      hint: `Set ${name} where the daemon is started, then start it again.`,
    });
  }
  return { name, authorize: () => Promise.resolve(wire.credential(value, name)) };
}
