import { compileRedact, type NamedSecret, type Redact, redactBy, redactNothing } from '../lib/redact.ts';

/**
 * All values that this process knows and that nobody may read, whatever they are for. One that was replaced or removed stays among them
 * until the process ends: a program may have it still.
 */
export class KnownSecrets {
  /** By what is known when it is used. */
  readonly redact: Redact = redactBy(() => this.#redact);
  readonly #known = new Map<string, NamedSecret>();
  #redact: Redact = redactNothing;

  know(secrets: readonly NamedSecret[]): void {
    const fresh = secrets.filter(({ value }) => !this.#known.has(value));
    if (fresh.length === 0) return;
    for (const secret of fresh) this.#known.set(secret.value, secret);
    this.#redact = compileRedact([...this.#known.values()]);
  }
}
