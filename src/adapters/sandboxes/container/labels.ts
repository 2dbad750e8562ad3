import { hostname } from 'node:os';
import { isAlive, pidNamespaceOf, processStart } from '../../../lib/processes.ts';

/** What a container is marked with, so that a later process finds it, and can tell whether the one that made it still lives. */
export function labelsFor(home: string, engine: string): Record<string, string> {
  const owner: Owner = { pid: process.pid, start: processStart(process.pid) ?? '', seenFrom: seenFrom() };
  return { [HOME_LABEL]: home, [ENGINE_LABEL]: engine, [OWNER_LABEL]: JSON.stringify(owner) };
}

export const HOME_LABEL = 'switchyard.home';
export const ENGINE_LABEL = 'switchyard.engine';
export const OWNER_LABEL = 'switchyard.owner';

interface Owner {
  readonly pid: number;
  readonly start: string;
  /** Where that number names that process: a pid namespace of a host. */
  readonly seenFrom: string;
}

/** Whether the process that made the container has ended for sure. */
export function isOwnerDead(label: string): boolean {
  try {
    const owner: unknown = JSON.parse(label);
    if (!isOwner(owner) || owner.start === '' || owner.seenFrom !== seenFrom()) return false;
    return !isAlive(owner);
  } catch {
    return false;
  }
}

function isOwner(value: unknown): value is Owner {
  if (typeof value !== 'object' || value === null) return false;
  const { pid, start, seenFrom } = value as Record<string, unknown>;
  return typeof pid === 'number' && typeof start === 'string' && typeof seenFrom === 'string';
}

function seenFrom(): string {
  return `${pidNamespaceOf('self') ?? ''} ${hostname()}`;
}
