import { whichOn } from './which.ts';

/** What to put before a command so that it makes room for everything else; empty where there is nothing of the sort. */
export async function lowPriority(path = process.env['PATH']): Promise<readonly string[]> {
  const which = whichOn(path);
  const [nice, ionice] = await Promise.all([which('nice'), which('ionice')]);
  return [...(nice === undefined ? [] : [nice, '-n', '10']), ...(ionice === undefined ? [] : [ionice, '-c', '3'])];
}
