import type { Clock } from '../lib/clock.ts';

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  #now = 0;
  #sleepers: Sleeper[] = [];

  now(): number {
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (ms <= 0 || signal?.aborted === true) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    const sleeper = { at: this.#now + ms, wake: resolve };
    this.#sleepers.push(sleeper);
    const wakeEarly = () => {
      this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
      resolve();
    };
    signal?.addEventListener('abort', wakeEarly, { once: true });
    return promise.finally(() => signal?.removeEventListener('abort', wakeEarly));
  }

  /** As when the machine slept: all at once it is later, and only then whoever is due wakes. */
  async oversleep(ms: number): Promise<void> {
    this.#now += ms;
    await this.advance(0);
  }

  /** Moves the time on, and wakes whoever's time has come on the way, in order; each may go to sleep again and is woken again. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      const next = this.#sleepers.filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#sleepers = this.#sleepers.filter((sleeper) => sleeper !== next);
      this.#now = Math.max(this.#now, next.at);
      next.wake();
      await allReactions();
    }
    this.#now = end;
  }
}

/** Lets everything that waits on promises only have its turn. */
function allReactions(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
