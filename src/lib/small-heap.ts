import { setFlagsFromString } from 'node:v8';

/**
 * Keeps this process small from here on, at the price of collecting its garbage more often. V8 would otherwise let the space for young
 * objects grow to more than a hundred megabytes under load, and that for old ones to several times what lives, and keep both; and a
 * process starts others the slower the more memory it has. For a process that stays and mostly waits.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--heap-growing-percent=50');
}
