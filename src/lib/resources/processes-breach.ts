import { readNumber } from './control-file.ts';
import type { LimitBreach } from './limits.ts';

/**
 * Whether one of the group's processes was refused another, told alike by both versions. Some kernels also count what a group further up
 * refused; where the kernel remembers how many there were at most, that tells the two apart.
 */
export function processesBreach(group: string, max: number): LimitBreach | undefined {
  if ((readNumber(group, 'pids.events', 'max') ?? 0) === 0) return undefined;
  const used = readNumber(group, 'pids.peak');
  if (used !== undefined && used < max) return undefined;
  return { limit: 'processes', max, ...(used === undefined ? {} : { used }) };
}
