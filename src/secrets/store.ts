import type { SecretEntry, StoredSecret } from '../domain/secret.ts';
import { OneAtATime } from '../lib/one-at-a-time.ts';
import type { Keyring, KeyringPlace } from './keyring.ts';
import { readSecretsFile, writeSecretsFile } from './secrets-file.ts';

export type SecretStoreKind = 'file' | 'keyring';

/** One with its value. */
export interface Secret extends StoredSecret {
  readonly value: string;
}

export type SecretKey = Pick<StoredSecret, 'name' | 'repository'>;

/**
 * The secrets of a home: which there are stands in a file, their values there as well or in the keyring. Each call looks again. All reject
 * with `secret/readable`, `secret/store-broken` and `secret/keyring`.
 */
export interface SecretStore {
  /** By name, those for all repositories first. */
  list(): Promise<StoredSecret[]>;
  /** The same with their values. */
  read(): Promise<Secret[]>;
  /** Whether there was one of that name, which it replaces. */
  put(secret: Secret): Promise<boolean>;
  /** Whether there was one. */
  remove(key: SecretKey): Promise<boolean>;
}

export interface SecretStoreParts {
  /** The home's folder, by which its values are told from other homes' in the keyring. */
  readonly home: string;
  readonly file: string;
  readonly keyring: Keyring;
  /** Where a value goes that is set from now on. */
  readonly kind: () => SecretStoreKind;
}

export function openSecretStore({ home, file, keyring, kind }: SecretStoreParts): SecretStore {
  const changes = new OneAtATime();
  /** Values that have been read from the keyring, by which secret was set when. */
  const read = new Map<string, string>();
  const valueOf = async (entry: SecretEntry): Promise<string | undefined> => {
    const key = JSON.stringify([entry.name, entry.repository, entry.setAt]);
    const value = entry.value ?? read.get(key) ?? (await keyring.get(placeOf(home, entry)));
    if (entry.value === undefined && value !== undefined) read.set(key, value);
    return value;
  };
  const without = async (key: SecretKey) => {
    const there = await readSecretsFile(file);
    return { old: there.find((one) => isFor(one, key)), others: there.filter((one) => !isFor(one, key)) };
  };
  return {
    async list() {
      return (await readSecretsFile(file)).map(({ name, repository, setAt }) => ({ name, repository, setAt }));
    },
    async read() {
      const secrets: Secret[] = [];
      for (const entry of await readSecretsFile(file)) {
        const value = await valueOf(entry);
        // Removed from the keyring by other means: it is not there any more.
        if (value !== undefined) secrets.push({ ...entry, value });
      }
      return secrets;
    },
    put: ({ value, ...secret }) =>
      changes.run(file, async () => {
        const { old, others } = await without(secret);
        const isFile = kind() === 'file';
        if (!isFile) await keyring.put(placeOf(home, secret), value);
        await writeSecretsFile(file, inOrder([...others, { ...secret, ...(isFile ? { value } : {}) }]));
        if (isFile && old !== undefined && old.value === undefined) await keyring.remove(placeOf(home, old));
        return old !== undefined;
      }),
    remove: (key) =>
      changes.run(file, async () => {
        const { old, others } = await without(key);
        if (old === undefined) return false;
        if (old.value === undefined) await keyring.remove(placeOf(home, old));
        await writeSecretsFile(file, others);
        return true;
      }),
  };
}

function placeOf(home: string, { name, repository }: SecretKey): KeyringPlace {
  return { home, name, repository };
}

function isFor(one: SecretKey, other: SecretKey): boolean {
  return one.name === other.name && one.repository === other.repository;
}

function inOrder(entries: readonly SecretEntry[]): SecretEntry[] {
  const text = ({ name, repository }: SecretEntry) => `${name}\0${repository ?? ''}`;
  return entries.toSorted((a, b) => (text(a) < text(b) ? -1 : 1));
}
