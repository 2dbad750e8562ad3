import type { OperationContext } from '../operations/operations.ts';
import { prune } from '../operations/prune.ts';
import type { Log } from './log.ts';

/** Not at once: whoever starts a daemon wants something else of it first. */
const FIRST_MS = 10 * 60_000;
const DAY_MS = 24 * 60 * 60_000;

/** Removes once a day what has been kept for long enough, and logs it. Disposing ends a pass in the middle. */
export function pruneDaily(context: OperationContext, log: Log): AsyncDisposable {
  const over = new AbortController();
  const passes = run(context, log, over.signal);
  return {
    async [Symbol.asyncDispose]() {
      over.abort();
      await passes;
    },
  };
}

async function run(context: OperationContext, log: Log, signal: AbortSignal): Promise<void> {
  const { clock } = context.engine;
  for (let wait = FIRST_MS; ; wait = DAY_MS) {
    await clock.sleep(wait, signal);
    if (signal.aborted) return;
    try {
      const { items } = await prune(context, { dryRun: false, signal });
      for (const { kind, what, why } of items) log.info(`removed ${what}`, { kind, why });
    } catch (error) {
      if (!signal.aborted) log.warn('what has been kept for long enough could not be removed', error);
    }
  }
}
