import type { Actor } from '../domain/actor.ts';
import type { Blueprint } from '../domain/blueprint.ts';
import type { MessageState } from '../domain/event.ts';
import type { ExposedLogin } from '../domain/evidence.ts';
import type { Limits } from '../domain/limits.ts';
import type { Opening } from '../domain/opening.ts';
import type { Consumed, ForkedFrom, RunState, RunStateKind, StepState } from '../domain/run.ts';
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
  /** The commit that its branch in the person's repository stands on, whoever had it put there. */
  readonly delivered: string | null;
  readonly merged: { readonly target: string; readonly commit: string; readonly tree: string } | null;
  /** The head that a step has delivered, or what a person or a merge has made of it since; another head is not to be merged. */
  readonly mergeable: string | null;
  /** From where to where a merge was last about to move a branch, and the run's head by then. */
  readonly merging: {
    readonly target: string;
    readonly from: string;
    readonly to: string;
    readonly head: string;
  } | null;
  readonly consumed: Consumed;
  readonly granted: Limits;
  readonly said: readonly string[];
  /** Logins that lay within the walls of its agents; `since` is ISO 8601 in UTC. */
  readonly exposed: readonly (ExposedLogin & { readonly since: string })[];
  readonly requester: string;
  readonly priority: number;
  readonly cancelling: boolean;
  /** A person has taken it over by hand, or is about to. */
  readonly opening: Opening | null;
  /** Name of the latest command of a person that was carried out. */
  readonly decided: string | null;
  readonly forked_from: ForkedFrom | null;
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
  /** Entered for a person's message: goes on in the session of its node's latest step. */
  readonly follow_up: boolean;
  /** Of the run that this one was forked from. */
  readonly copied: boolean;
  readonly provider: string | null;
  /** Of its run. */
  readonly requester: string;
  /** What it has to itself in its repository while it works. */
  readonly holds: string | null;
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
  /** The checkpoint at its end, with the session of its agent and carried files; null where there were none. */
  readonly kept: string | null;
  readonly head: string | null;
  /** The run's head when it began, where a person's hands have moved that since. */
  readonly stood_on: string | null;
  readonly priority: number;
  /** When its run began to wait or to work without a pause for a person. */
  readonly since: Date;
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

export interface MessageRow {
  readonly id: string;
  readonly run: string;
  readonly text: string;
  readonly actor: Actor;
  readonly urgent: boolean;
  /** What was said to its sender. */
  readonly answer: { readonly state: MessageState; readonly text: string };
  readonly sent_at: Date;
  /** The step that it was given to. */
  readonly step: string | null;
  /** The attempt that has taken it. */
  readonly attempt: number | null;
  readonly delivered_at: Date | null;
  /** When a turn ended that held it. */
  readonly heard_at: Date | null;
  /** Told to whatever agent is next; the run does not go on for it, and nobody waits for it to be told. */
  readonly quiet: boolean;
}

export interface RepositoryRow {
  readonly id: string;
  readonly path: string;
  /** Its git directory, by which it is known again. */
  readonly common_dir?: string | null;
}
