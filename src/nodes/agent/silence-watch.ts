import type { Clock } from '../../lib/clock.ts';

export interface SilenceOptions {
  readonly clock: Clock;
  readonly silenceMs: number;
  /** Ends the watch. */
  readonly over: AbortSignal;
}

/** What the latest output was: an event, lines that say nothing, or nothing that counts. */
export type Heard = 'event' | 'noise' | 'nothing';

/** Lines without an event are a sign of life, but a program that writes nothing else for so many times the silence is stuck, too. */
const NOISE_FACTOR = 3;
/** A pause so much longer than asked for means that the machine slept, and the agent with it. */
const ASLEEP_MS = 10_000;
/** Timers cannot be set for longer. */
const LONGEST_MS = 2 ** 31 - 1;

/** Notices when an agent says nothing for too long. What arrives often costs nothing: no timer is set again for each sign of life. */
export class SilenceWatch {
  /** Resolves with the length of the silence, once it is too long; also when the watch is over. */
  readonly broken: Promise<number>;
  readonly #options: SilenceOptions;
  #quietSince: number;
  #wordlessSince: number;
  #suspendedAt = 0;
  #isSuspended = false;

  constructor(options: SilenceOptions) {
    this.#options = options;
    this.#quietSince = options.clock.now();
    this.#wordlessSince = this.#quietSince;
    this.broken = this.#watch();
  }

  /** Something came and is being dealt with: the time that this takes is not the agent's. */
  suspend(): void {
    if (!this.#isSuspended) this.#suspendedAt = this.#options.clock.now();
    this.#isSuspended = true;
  }

  /** It is dealt with. While a tool runs, silence is no sign of anything. */
  resume({ toolIsRunning, heard }: { readonly toolIsRunning: boolean; readonly heard: Heard }): void {
    const now = this.#options.clock.now();
    const taken = now - this.#suspendedAt;
    this.#quietSince = heard === 'nothing' ? this.#quietSince + taken : now;
    this.#wordlessSince = heard === 'event' ? now : this.#wordlessSince + taken;
    this.#isSuspended = toolIsRunning;
  }

  async #watch(): Promise<number> {
    const { clock, silenceMs, over } = this.#options;
    while (!over.aborted) {
      const silentMs = clock.now() - this.#quietSince;
      const wordlessMs = clock.now() - this.#wordlessSince;
      const leftMs = Math.min(silenceMs - silentMs, NOISE_FACTOR * silenceMs - wordlessMs);
      if (leftMs <= 0 && !this.#isSuspended) return silentMs >= silenceMs ? silentMs : wordlessMs;
      const pauseMs = Math.min(this.#isSuspended ? silenceMs : leftMs, silenceMs, LONGEST_MS);
      const before = clock.now();
      await clock.sleep(pauseMs, over);
      const overslept = clock.now() - before - pauseMs;
      if (overslept <= ASLEEP_MS) continue;
      this.#quietSince += overslept;
      this.#wordlessSince += overslept;
    }
    return 0;
  }
}
