import type { SandboxedProcess } from '../../ports/sandbox.ts';
import { SilenceWatch } from './silence-watch.ts';
import type { DriveRequest, TurnResult } from './turn.ts';

/** How long a program may take to end once it has said its last. */
const LINGER_MS = 10_000;
const GRACE_MS = 5_000;
/** Timers cannot be set for longer; a turn of 24 days is over anyway. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * Everything that can end a turn from outside: cancelling, silence, wall time, a limit. The first cause counts, and starts the stop ladder while
 * the output is still read to its end. Disposing ends the watching, not the program.
 */
export class Interruption implements Disposable {
  readonly silence: SilenceWatch;
  readonly #process: SandboxedProcess;
  readonly #request: DriveRequest;
  readonly #over = new AbortController();
  readonly #failed = Promise.withResolvers<never>();
  #cause: TurnResult | undefined;
  #stopping: Promise<void> | undefined;
  #isLingering = false;

  constructor(process: SandboxedProcess, request: DriveRequest) {
    this.#process = process;
    this.#request = request;
    const { clock, limits, signal } = request;
    this.silence = new SilenceWatch({ clock, silenceMs: limits.silenceMs, over: this.#over.signal });
    this.#when(this.silence.broken, (silentMs) => this.cut({ kind: 'stalled', silentMs }));
    const { wallMs } = limits;
    if (wallMs !== undefined) {
      this.#when(clock.sleep(Math.min(wallMs, LONGEST_MS), this.#over.signal), () => this.cut({ kind: 'timeout' }));
    }
    signal.addEventListener('abort', () => this.cut({ kind: 'cancelled' }), { signal: this.#over.signal });
    if (signal.aborted) this.cut({ kind: 'cancelled' });
  }

  /** Why the turn was interrupted; undefined when it was not. */
  get cause(): TurnResult | undefined {
    return this.#cause;
  }

  /** Ends the turn for this cause, unless there was one before or the turn is over. */
  cut(cause: TurnResult): void {
    if (this.#cause !== undefined || this.#isLingering) return;
    this.#cause = cause;
    this.#stop();
  }

  /** The turn is over: nothing interrupts it any more, and the program has a little time left to end by itself. */
  linger(): void {
    if (this.#cause !== undefined || this.#isLingering) return;
    this.#isLingering = true;
    this.#when(this.#request.clock.sleep(LINGER_MS, this.#over.signal), () => this.#stop());
  }

  /** Rejects when the program could not be ended; else it stays open. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  /** Resolves when the stop ladder, if it was begun, has come to its end. */
  async settled(): Promise<void> {
    await this.#stopping;
  }

  [Symbol.dispose](): void {
    this.#over.abort();
  }

  #stop(): void {
    this.#stopping ??= this.#process.stop(this.#request.graceMs ?? GRACE_MS);
    this.#stopping.catch(this.#failed.reject);
  }

  #when<T>(happened: Promise<T>, then: (value: T) => void): void {
    void happened.then((value) => (this.#over.signal.aborted ? undefined : then(value)));
  }
}
