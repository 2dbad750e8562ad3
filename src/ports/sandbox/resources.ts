import type { ResourceLimits, ResourceName } from '../../domain/sandbox.ts';
import type { Breach } from '../sandbox.ts';

/** What of this host holds programs to an amount of memory, processes, processor time and space. */
export interface ResourceControl {
  /** Which limits it can hold programs to here. */
  readonly enforces: readonly ResourceName[];
  /** A group for the processes of one program, held to those of the limits that it enforces. The caller disposes it. */
  start(limits: ResourceLimits): Promise<ResourceGroup>;
}

/** The processes of one program. Disposing, once they have ended, leaves nothing of the group on the host. */
export interface ResourceGroup extends AsyncDisposable {
  /** Whether anything is held to at all; if not, `admit` need not be waited for. */
  readonly needsAdmission: boolean;
  /** Takes processes in, by their pids on the host; whatever they start from then on belongs to it too. */
  admit(pids: readonly number[]): Promise<void>;
  /** The limit that was run into so far, if any. */
  breach(): Promise<Breach | undefined>;
}
