/** Does what concerns the same thing one after the other, in the order of the calls; what concerns different things beside each other. */
export class OneAtATime {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Whether something is being done about it, or waits to be. */
  isBusy(key: string): boolean {
    return this.#last.has(key);
  }

  run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const result = (this.#last.get(key) ?? Promise.resolve()).then(work);
    // A failure is its caller's to hear of.
    const settled = result.then(
      () => undefined,
      () => undefined,
    );
    this.#last.set(key, settled);
    void settled.then(() => {
      if (this.#last.get(key) === settled) this.#last.delete(key);
    });
    return result;
  }
}
