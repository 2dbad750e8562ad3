import { posix } from 'node:path';
import type { Mount } from '../../../ports/sandbox.ts';

/**
 * The mounts without those that a later one hides: engines mount outer folders before inner ones, whatever the order that they are told
 * them in, and refuse two at one place.
 */
export function visibleMounts(mounts: readonly Mount[]): Mount[] {
  return mounts.filter(
    (mount, index) => !mounts.slice(index + 1).some((later) => isWithin(mount.inside, later.inside)),
  );
}

/** Where a path of the host is found inside: in the mount that shows it most closely; at its own place where none does. */
export function insideOf(mounts: readonly Mount[], path: string): string {
  const showing = mounts.filter(({ host }) => isWithin(path, host));
  const closest = Math.max(...showing.map(({ host }) => host.length));
  const mount = showing.findLast(({ host }) => host.length === closest);
  return mount === undefined ? path : posix.join(mount.inside, posix.relative(mount.host, path));
}

export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
}
