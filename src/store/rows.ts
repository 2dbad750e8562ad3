import type { Blueprint } from '../domain/blueprint.ts';
import type { Limits } from '../domain/limits.ts';
import type { Consumed, RunState, RunStateKind, StepState } from '../domain/run.ts';
import type { RunSettings } from '../domain/settings.ts';

/** Rows as they lie in the database; what is JSON there was written by the same schemas. */

export interface RunRow {
  readonly id: string;
  readonly slug: string;
  readonly task: string;
  readonly repository: string;
  readonly state: RunState;
  readonly state_kind: RunStateKind;
  readonly state_before: RunState | null;
  readonly blueprint: Blueprint;
  /** The state of `blueprint/advance.ts`. */
  readonly flow: unknown;
  readonly settings: RunSettings;
  readonly base_ref: string;
  readonly base_commit: string;
  readonly target: string | null;
  readonly head: string;
  readonly delivered: string | null;
  readonly merged: { readonly target: string; readonly commit: string; readonly tree: string } | null;
  readonly consumed: Consumed;
  readonly granted: Limits;
  readonly said: readonly string[];
  readonly requester: string;
  readonly priority: number;
  readonly cancelling: boolean;
  /** Name of the latest command of a person that was carried out. */
  readonly decided: string | null;
  readonly created_at: Date;
  readonly ended_at: Date | null;
}

export interface StepRow {
  readonly id: string;
  readonly run: string;
  readonly repository: string;
  readonly node: string;
  readonly n: number;
  readonly kind: string;
  readonly agentic: boolean;
  /** Asked for by a person, outside the blueprint: a merge after the end. */
  readonly aside: boolean;
  readonly provider: string | null;
  readonly state: StepState;
  readonly inputs: Readonly<Record<string, unknown>>;
  /** The attempt that may write. */
  readonly lease: number;
  /** Attempts that ended by a fault of ours or of the machine. */
  readonly failures: number;
  readonly job: string | null;
  readonly queue: string | null;
  readonly worker: string | null;
  readonly outcome: string | null;
  readonly detail: string | null;
  readonly outputs: Readonly<Record<string, unknown>> | null;
  readonly checkpoint: string | null;
  readonly head: string | null;
  readonly priority: number;
  readonly created_at: Date;
  readonly started_at: Date | null;
  readonly ended_at: Date | null;
}

export interface AttemptRow {
  readonly step: string;
  readonly n: number;
  readonly worker: string;
  readonly namespaces: readonly string[];
  readonly session: string | null;
  readonly agent: string | null;
  /** Events that it has written. */
  readonly told: number;
  readonly seen_at: Date;
  readonly started_at: Date;
  readonly ended_at: Date | null;
  readonly result: string | null;
}

export interface RepositoryRow {
  readonly id: string;
  readonly path: string;
}
