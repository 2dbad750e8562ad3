import type { Home } from '../../lib/home.ts';
import { mountsBelow, unmount } from '../../lib/mounts.ts';
import type { Leftover } from './leftover.ts';

/**
 * What is still mounted for workspaces of a home whose daemon and workers are dead. What lies in them stays, and is mounted again when its
 * run goes on. The caller holds the home's lock.
 */
export function leftMounts(home: Pick<Home, 'workspaces'>): Leftover[] {
  return mountsBelow(home.workspaces).map(({ path }) => ({
    kind: 'mount' as const,
    what: path,
    proof: 'no daemon or worker of this home is alive; what is in it stays, and is mounted again when the run goes on',
    async remove() {
      return (await unmount(path)) === 'busy' ? 'something still uses it: it goes with its last user' : undefined;
    },
  }));
}
