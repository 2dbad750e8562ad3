import type { Clock } from '../lib/clock.ts';

/** Something to wait for that may come before anybody waits: then the next wait is over at once. */
export class Wake {
  #woken = Promise.withResolvers<void>();

  now(): void {
    this.#woken.resolve();
  }

  /** Resolves when woken, after `ms` at the latest, or when the signal aborts. */
  async wait(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    await Promise.race([this.#woken.promise, clock.sleep(ms, AbortSignal.any([over.signal, signal]))]);
    over.abort();
    // Whatever comes from here on is for the next wait.
    this.#woken = Promise.withResolvers<void>();
  }
}
