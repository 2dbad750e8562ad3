import { deadOwner, ownMark } from '../../../lib/owner-mark.ts';

/** What a container is marked with, so that a later process finds it, and can tell whether the one that made it still lives. */
export function labelsFor(home: string, engine: string): Record<string, string> {
  return { [HOME_LABEL]: home, [ENGINE_LABEL]: engine, [OWNER_LABEL]: ownMark() };
}

export const HOME_LABEL = 'switchyard.home';
export const ENGINE_LABEL = 'switchyard.engine';
export const OWNER_LABEL = 'switchyard.owner';

/** Whether the process that made the container has ended for sure. */
export function isOwnerDead(label: string): boolean {
  return deadOwner(label) !== undefined;
}
