import { setFlagsFromString } from 'node:v8';

/**
 * Keeps this process small from here on, at the price of collecting young objects more often. V8 would otherwise let their space grow
 * to more than a hundred megabytes under load and keep it; and a process starts others the slower the more memory it has. For a
 * process that stays and mostly waits.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}
