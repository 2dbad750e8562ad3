import type { OutgoingHttpHeaders } from 'node:http';
import { type AgentEntry, type AgentKey, keysOf, nameOfKey } from '../../domain/agent-entry.ts';
import { SwitchyardError } from '../../lib/error.ts';
import { missingKeyHint, missingKeyText } from '../../ports/agent-sign-in.ts';
import type { IdentityAt } from './clouds/identities.ts';
import type { Wire } from './wire.ts';

/** What opens the upstream. It is added to requests on their way, and told to nobody. */
export interface Credential {
  /** For people: the name of the variable or secret that holds it, or of a cloud's identity; null for none at all. */
  readonly name: string | null;
  /** What it is, within a sentence. */
  readonly called: string;
  /** The headers that a request is to have beside its own. Rejects with a SwitchyardError when there is nothing to sign in with any more. */
  authorize(request: UnsignedRequest): Promise<Readonly<Record<string, string>>>;
  /** Called when it was not taken: looks whether there is a newer one by now, which is used from then on. Rejects as above. */
  renew?(): Promise<boolean>;
}

export interface UnsignedRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Buffer;
}

export interface CredentialSources {
  readonly hostEnv: Readonly<Record<string, string | undefined>>;
  /** Secrets for all repositories, by name. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly identityAt: IdentityAt;
}

/**
 * The credentials of an agent's endpoint, in the order in which they are used: the next one when the quota of one is used up. A cloud's are this
 * machine's identity there, unless there is a key. Throws `agent/no-key` for a variable that is not set, and a secret that is not stored.
 */
export function credentialsOf(
  wire: Wire,
  endpoint: NonNullable<AgentEntry['endpoint']>,
  { hostEnv, secrets, identityAt }: CredentialSources,
): readonly [Credential, ...Credential[]] {
  const { cloud } = endpoint;
  const headersOf: Wire['credential'] = (key, name) => (cloud === undefined ? wire.credential(key, name) : bearer(key));
  const [first, ...rest] = keysOf({ endpoint }).map((key) =>
    keyIn(
      headersOf,
      key,
      key.secret === undefined
        ? hostEnv[key.env ?? '']
        : Object.hasOwn(secrets, key.secret)
          ? secrets[key.secret]
          : undefined,
    ),
  );
  if (first === undefined && cloud !== undefined) return [identityAt(cloud)];
  return first === undefined ? [NO_CREDENTIAL] : [first, ...rest];
}

const NO_CREDENTIAL: Credential = {
  name: null,
  called: 'requests without a key',
  authorize: () => Promise.resolve({}),
};

/** Clouds take API keys of theirs so, whatever protocol is spoken. */
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

function keyIn(headersOf: Wire['credential'], key: AgentKey, value: string | undefined): Credential {
  const name = nameOfKey(key);
  if (value === undefined || value === '') {
    throw new SwitchyardError({
      code: 'agent/no-key',
      message: `There is no key: ${missingKeyText(key)}.`,
      hint: missingKeyHint(key),
    });
  }
  return { name, called: `the key in ${name}`, authorize: () => Promise.resolve(headersOf(value, name)) };
}
