import type { Clock } from '../../lib/clock.ts';

/**
 * How much of the time goes into bases that nobody waits for: of a branch that moves with every merge, each commit could be one. To bring a
 * workspace on from the base before costs it little, so that this is left to the workspaces until it is due again.
 */
export class BuildPace {
  readonly #clock: Clock;
  readonly #dueAt = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  isDue(repository: string): boolean {
    return this.#clock.now() >= (this.#dueAt.get(repository) ?? 0);
  }

  /** Builds, and notes when the next one is due. */
  async build<T>(repository: string, work: () => Promise<T>): Promise<T> {
    const began = this.#clock.now();
    try {
      return await work();
    } finally {
      const ended = this.#clock.now();
      this.#dueAt.set(repository, ended + Math.max(SHORTEST_PAUSE_MS, PAUSE_PER_BUILD * (ended - began)));
    }
  }
}

/** A twentieth of the time is spent on it at most. */
const PAUSE_PER_BUILD = 19;
const SHORTEST_PAUSE_MS = 2_000;
