import type { StoredSecret } from '../domain/secret.ts';
import { SwitchyardError } from '../lib/error.ts';
import { listed } from '../lib/listed.ts';
import type { KnownSecrets } from './known-secrets.ts';
import type { SecretStore } from './store.ts';

export interface ProgramSecretsParts {
  readonly store: SecretStore;
  readonly known: KnownSecrets;
  /** Told of a store that cannot be read; whoever needs a secret of it is told as well. */
  readonly onUnreadable: (error: unknown) => void;
  /** Names of secrets for all repositories that are keys of agents. */
  readonly ofAgents: () => ReadonlySet<string>;
}

/** What programs of repositories get of a store, read again whenever it is asked for. */
export function programSecrets({ store, known, onUnreadable, ofAgents }: ProgramSecretsParts) {
  const read = async () => {
    const secrets = await store.read();
    known.know(secrets);
    return secrets;
  };
  return {
    redact: known.redact,
    async refresh(): Promise<void> {
      await read().catch(onUnreadable);
    },
    /** Those for all repositories by name, keys of agents among them: for what is no program of a repository. Rejects as the store does. */
    async forAllRepositories(): Promise<Record<string, string>> {
      const secrets = await read();
      return Object.fromEntries(
        secrets.filter(({ repository }) => repository === null).map(({ name, value }) => [name, value]),
      );
    },
    /** What they find in their environment: a repository's own secret goes before one for all. Rejects with `secret/missing`. */
    async valuesOf(repository: string, names: readonly string[]): Promise<Record<string, string>> {
      if (names.length === 0) return {};
      const secrets = forPrograms(await read(), ofAgents());
      const missing = missingFrom(secrets, repository, names);
      if (missing.length > 0) throw missingSecrets(missing.map((name) => ({ name })));
      const own = [null, repository].flatMap((place) => secrets.filter((secret) => secret.repository === place));
      return Object.fromEntries(own.filter(({ name }) => names.includes(name)).map(({ name, value }) => [name, value]));
    },
  };
}

/** Those that a program may have: what is the key of an agent no repository can name. One of a repository's own stays its own. */
export function forPrograms<T extends Pick<StoredSecret, 'name' | 'repository'>>(
  secrets: readonly T[],
  ofAgents: ReadonlySet<string>,
): T[] {
  return secrets.filter(({ name, repository }) => repository !== null || !ofAgents.has(name));
}

/** Those of the names that a repository has no secret of, each once. */
export function missingFrom(
  secrets: readonly Pick<StoredSecret, 'name' | 'repository'>[],
  repository: string,
  names: readonly string[],
): string[] {
  const there = secrets.filter((secret) => secret.repository === null || secret.repository === repository);
  return [...new Set(names)].filter((wanted) => !there.some(({ name }) => name === wanted));
}

/** `by` says what has named it. */
export function missingSecrets(missing: readonly { readonly name: string; readonly by?: string }[]): SwitchyardError {
  const names = [...new Set(missing.map(({ name }) => name))];
  const said = missing.map(({ name, by }) => (by === undefined ? name : `${name} (named by ${by})`));
  const them = names.length === 1 ? 'it' : 'them';
  return new SwitchyardError({
    code: 'secret/missing',
    message: `${names.length === 1 ? 'A secret is' : 'Secrets are'} not stored for this repository: ${listed(said)}.`,
    hint: `Set ${them} in the repository: ${names.map((name) => `\`switchyard secret set ${name}\``).join(', ')}; with --everywhere for all repositories.`,
  });
}
