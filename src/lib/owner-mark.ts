import { hostname } from 'node:os';
import { isAlive, pidNamespaceOf, processStart } from './processes.ts';

/** Written on what a process makes, so that a later one can tell whether the one that made it still lives. */
interface OwnerMark {
  readonly pid: number;
  readonly start: string;
  /** Where that number names that process: a pid namespace of a host. */
  readonly seenFrom: string;
}

/** The mark of this process, on one line. */
export function ownMark(): string {
  const mark: OwnerMark = { pid: process.pid, start: processStart(process.pid) ?? '', seenFrom: seenFrom() };
  return JSON.stringify(mark);
}

/** The process whose mark that is, if it has ended for sure; undefined when it lives, cannot be looked for from here, or is not named. */
export function deadOwner(mark: string): number | undefined {
  const owner = read(mark);
  if (owner === undefined || owner.start === '' || owner.seenFrom !== seenFrom()) return undefined;
  return isAlive(owner) ? undefined : owner.pid;
}

function read(mark: string): OwnerMark | undefined {
  try {
    const value: unknown = JSON.parse(mark);
    return isOwnerMark(value) ? value : undefined;
  } catch {
    return undefined; // one that was cut off: then nobody can say whose it is
  }
}

function isOwnerMark(value: unknown): value is OwnerMark {
  if (typeof value !== 'object' || value === null) return false;
  const { pid, start, seenFrom } = value as Record<string, unknown>;
  return typeof pid === 'number' && typeof start === 'string' && typeof seenFrom === 'string';
}

function seenFrom(): string {
  return `${pidNamespaceOf('self') ?? ''} ${hostname()}`;
}
