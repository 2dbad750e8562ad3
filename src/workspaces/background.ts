/** Work that nobody waits for: one thing after the other, each asked for once. Disposing ends what is under way and forgets the rest. */
export class Background implements AsyncDisposable {
  readonly #waiting = new Map<string, (signal: AbortSignal) => Promise<unknown>>();
  readonly #closing = new AbortController();
  readonly #onFailure: (what: string, error: unknown) => void;
  #working: Promise<void> | undefined;

  /** `onFailure` is told of work that failed; it is not tried again until somebody asks. */
  constructor(onFailure: (what: string, error: unknown) => void) {
    this.#onFailure = onFailure;
  }

  /** Asks for something under a name. What was asked for under the same name, and has not begun, is forgotten for it. */
  ask(name: string, work: (signal: AbortSignal) => Promise<unknown>): void {
    if (this.#closing.signal.aborted) return;
    this.#waiting.set(name, work);
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
    });
  }

  /** Resolves when nothing is under way or asked for. */
  async idle(): Promise<void> {
    while (this.#working !== undefined) await this.#working;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#waiting.clear();
    this.#closing.abort(new Error('the worker stops'));
    await this.idle();
  }

  async #work(): Promise<void> {
    const { signal } = this.#closing;
    await Promise.resolve(); // whoever asks has the processor first
    for (let next = this.#next(); next !== undefined && !signal.aborted; next = this.#next()) {
      const [name, work] = next;
      try {
        await work(signal);
      } catch (error) {
        if (!signal.aborted) this.#onFailure(name, error);
      }
    }
  }

  #next(): [string, (signal: AbortSignal) => Promise<unknown>] | undefined {
    const [next] = this.#waiting;
    if (next !== undefined) this.#waiting.delete(next[0]);
    return next;
  }
}
