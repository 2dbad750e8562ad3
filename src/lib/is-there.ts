import { access } from 'node:fs/promises';

/** Whether there is something at the path, links followed; false too where this user cannot see it. */
export function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
