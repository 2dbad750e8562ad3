import type { Part } from './part.ts';

/** For so long what was found counts: those who start programs at the same time ask for the same. */
const KEPT_MS = 1_000;

/** What was found on this machine a moment ago. What is installed meanwhile is seen when that is over. */
export class FoundParts {
  readonly #found = new Map<string, Promise<Part[]>>();

  /** What was found for the key, or what `look` finds. */
  ask(key: string, look: () => Promise<Part[]>): Promise<Part[]> {
    const known = this.#found.get(key);
    if (known !== undefined) return known;
    const found = look();
    this.#found.set(key, found);
    const forget = () => this.#found.delete(key);
    found.then(() => setTimeout(forget, KEPT_MS).unref(), forget);
    return found;
  }
}
