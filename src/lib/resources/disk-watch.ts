import type { Clock } from '../clock.ts';
import { diskUsage } from '../exec/disk-usage.ts';
import type { LimitBreach } from './limits.ts';

export interface DiskWatchOptions {
  /** Those that are not there take up nothing. What else is mounted within them does not count. */
  readonly folders: readonly string[];
  /** Bytes that they may take up together. */
  readonly max: number;
  /** Pause between two looks; longer where a look takes long, so that looking takes a tenth of the time at most. */
  readonly everyMs: number;
  readonly clock: Clock;
  /** Ends the watch. */
  readonly signal?: AbortSignal;
  /** Told once, when they have come to more; the watch has ended by then. It must not throw. */
  readonly onPast: (breach: LimitBreach) => void;
}

/**
 * Looks now and again how much folders take up on the disk, from now on. It is no wall: between two looks more may be written, and what
 * was deleted but is still open does not count, nor what this user may not read. Links are not followed. Disposing ends the watch, and
 * resolves when nothing more is told. Nothing is told where `canWatchDisk` says no.
 */
export function watchDisk({ folders, max, everyMs, clock, signal, onPast }: DiskWatchOptions): AsyncDisposable {
  const ended = new AbortController();
  const until = signal === undefined ? ended.signal : AbortSignal.any([ended.signal, signal]);
  const watch = async () => {
    while (!until.aborted) {
      const begun = clock.now();
      const used = await diskUsage(folders, until);
      if (until.aborted) return;
      if (used !== undefined && used > max) return onPast({ limit: 'disk', max, used });
      await clock.sleep(Math.max(everyMs, 9 * (clock.now() - begun)), until);
    }
  };
  const done = watch();
  return {
    async [Symbol.asyncDispose]() {
      ended.abort();
      await done;
    },
  };
}

/** Whether this host can tell how much folders take up. */
export async function canWatchDisk(): Promise<boolean> {
  return (await diskUsage(['/dev/null'])) !== undefined;
}
