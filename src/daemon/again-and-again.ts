import type { Clock } from '../lib/clock.ts';

/** Does `work` after `firstMs`, and `everyMs` after the end of each pass. Disposing ends a pass in the middle. `work` never rejects. */
export function againAndAgain(
  { clock, firstMs, everyMs }: { clock: Clock; firstMs: number; everyMs: number },
  work: (signal: AbortSignal) => Promise<void>,
): AsyncDisposable {
  const over = new AbortController();
  const passes = run();
  return {
    async [Symbol.asyncDispose]() {
      over.abort();
      await passes;
    },
  };

  async function run(): Promise<void> {
    for (let wait = firstMs; ; wait = everyMs) {
      await clock.sleep(wait, over.signal);
      if (over.signal.aborted) return;
      await work(over.signal);
    }
  }
}
