import type { LimitBreach, LimitName, Limits } from './limits.ts';

/** A group in which groups can be made, and what those can be held to there. */
export interface GroupPlace {
  readonly parent: string;
  readonly holds: readonly LimitName[];
  /** What is written into a group's files to hold it to the limits. */
  settings(limits: Limits): readonly Setting[];
  /**
   * The file of a group by which a program of one thread takes itself in, with 0 for itself. By `tasks`, which only version 1 has, that is
   * done at once; all else waits until no process of the machine is about to start or end another.
   */
  readonly entry: 'tasks' | 'cgroup.procs';
  /** Makes a new folder in `parent` ready for groups. */
  prepare(folder: string): void;
  /** Looked at in this order. */
  readonly breaches: Readonly<Partial<Record<LimitName, (group: string, max: number) => LimitBreach | undefined>>>;
}

export interface Setting {
  readonly file: string;
  readonly text: string;
  /** Whether the kernel may have no such file. */
  readonly isOptional?: boolean;
}

/** The place for fewer limits; undefined if none is left. */
export function restricted(place: GroupPlace, to: (limit: LimitName) => boolean): GroupPlace | undefined {
  const holds = place.holds.filter(to);
  return holds.length === 0 ? undefined : { ...place, holds };
}

/** Microseconds in which a group gets its share of the cores. */
export const CPU_PERIOD = 100_000;

/** Microseconds of all cores together in each period; the kernel takes no less than a thousand. */
export function cpuQuota(cpus: number): number {
  return Math.max(1000, Math.round(cpus * CPU_PERIOD));
}
