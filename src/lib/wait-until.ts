import { setTimeout as sleep } from 'node:timers/promises';
import { SwitchyardError } from './error.ts';

export interface WaitOptions {
  readonly timeoutMs: number;
  /** Pause between two looks; 20 ms if not given. */
  readonly everyMs?: number;
  readonly signal?: AbortSignal | undefined;
  /** What is waited for, for the message: "the server answers". */
  readonly what?: string;
}

/**
 * Looks until `condition` gives something truthy, and returns that. The first look is at once, and one more is taken
 * when the time is up. Throws `wait/timeout` after `timeoutMs`, the signal's reason when aborted, and whatever
 * `condition` throws.
 */
export async function waitUntil<T>(
  condition: () => T | Promise<T>,
  options: WaitOptions,
): Promise<Exclude<T, false | undefined | null | 0 | ''>> {
  const { timeoutMs, everyMs = 20, signal, what = 'a condition' } = options;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    signal?.throwIfAborted();
    const last = performance.now() >= deadline;
    const found = await condition();
    if (found) return found as Exclude<T, false | undefined | null | 0 | ''>;
    if (last) break;
    await pause(Math.min(everyMs, Math.max(1, deadline - performance.now())), signal);
  }
  throw new SwitchyardError({
    code: 'wait/timeout',
    message: `waited ${timeoutMs} ms in vain for: ${what}`,
    hint: 'Try again; if it happens again on an idle machine, something is stuck.',
    retry: 'backoff',
  });
}

/** Waits; rejects with the signal's own reason (not with a wrapping AbortError) when aborted. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, signal ? { signal } : {});
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
