import { messageOf, SwitchyardError } from '../lib/error.ts';

/**
 * The isolated checkout in which a run's steps execute. A cache: what counts is the last checkpoint in the git store. Inside lies
 * a disposable git directory for the agent; the harness works through one of its own, outside, that nothing inside can reach by
 * configuration. All git over files that an agent may have written runs in the sandbox.
 */
export interface Workspace {
  /** The checkout, absolute. */
  readonly folder: string;
  /** Parent of the agents' private HOMEs, one folder per agent. */
  readonly homes: string;
  /** The commit that the branch stands on: all work of the ended steps. */
  readonly head: string;

  /**
   * Takes in what the step did: commits that the agent made on the run's branch, rewritten to the commit identity, then all
   * remaining changes as one commit. Moves `head`. Commits elsewhere and new gitlinks are left out, kept below a salvage ref
   * and named in `notes`. With nothing changed, `head` stays and nothing is written.
   */
  collect(commit: CommitText): Promise<Collected>;

  /**
   * Saves everything that would be lost with this workspace (changes not yet collected, declared `carry` files, agents' session
   * files) as one commit in the git store, without moving `head`. The same state gives the same commit again.
   */
  checkpoint(): Promise<string>;

  /**
   * Has git start that the next look at the files will want, while nobody waits for it; for some seconds, or until what is returned is disposed. Harmless at
   * any time, and without effect on what anything does.
   */
  prepare?(): AsyncDisposable;

  /** Moves branch, index and files to the commit; untracked files go, ignored ones stay. */
  reset(commit: string): Promise<void>;

  /** Throws away what changed since `head` (a check's litter); lists the paths. */
  restore(): Promise<readonly string[]>;

  /** Paths that differ between the commit and the working tree (uncollected changes included), sorted. */
  changedSince(commit: string): Promise<readonly string[]>;
}

export interface CommitText {
  readonly message: string;
  readonly identity: CommitIdentity;
  readonly trailers: Readonly<Record<string, string>>;
}

/** Who stands as author of a run's commits. The committer is always Switchyard. */
export interface CommitIdentity {
  readonly name: string;
  readonly email: string;
}

export interface Collected {
  readonly head: string;
  readonly changed: boolean;
  /** What was left out, or found odd: one sentence each. */
  readonly notes: readonly string[];
}

/**
 * Lays folders that never change as one folder that can be written to: the part of a workspace that differs between hosts. It knows
 * files, not what they are. Nothing that is written in the folder reaches a layer.
 */
export interface WorkspaceProvider {
  readonly kind: string;
  /** Roughly what laying a file costs, in milliseconds; 0 where it takes the same time however many there are. */
  readonly perFileMs: number;
  /** Whether a file that was laid has number and times of the layer's, so that a git index of the layer holds for it. */
  readonly sameFiles: boolean;
  /**
   * Fills `folder` (absent or empty before) with the files of all layers. A full disk and the like reject with
   * `workspace/cannot-create`, an abort with the signal's reason; either leaves nothing that `release` would not see to. `quiet`:
   * nobody waits for it, so it makes room for others.
   */
  lay(laying: Laying & { readonly signal: AbortSignal; readonly quiet?: boolean }): Promise<void>;
  /**
   * The folder as it was left, after the harness or the machine was started again; false when it is not there any more, or a layer is
   * gone.
   */
  resume(laying: Laying): Promise<boolean>;
  /**
   * The folder that holds all that was written in `folder` since it was laid, whatever became of it there, where there is such a one. It
   * need not be there.
   */
  written?(place: Place): string;
  /**
   * Lets go of both folders, so that they can be moved or removed; `resume` may bring `folder` back. Releasing what was not laid is fine.
   * Returns what a person should know, one sentence each.
   */
  release(place: Place): Promise<readonly string[]>;
}

/** Where a provider lays: two folders with the same parent. */
export interface Place {
  readonly folder: string;
  /** For what the provider keeps besides; nobody else writes here. */
  readonly beside: string;
}

export interface Laying extends Place {
  /** Absolute, topmost first: what an upper one has hides what a lower one has at the same path, except that folders are one. */
  readonly layers: readonly string[];
}

/** A way of laying as this host has it, or what is missing, as half a sentence for a person. */
export type ProbedProvider = WorkspaceProvider | { readonly missing: string };

/** A way of laying that a host may have. */
export interface ProviderCandidate {
  readonly kind: string;
  /** Tries it for real between two folders that exist: `layers` for what is laid, `folder` for where. Leaves nothing behind. */
  probe(places: { readonly layers: string; readonly folder: string }): Promise<ProbedProvider>;
}

/** The error of a provider that could not lay a folder, whatever went wrong. `full`: the disk was. */
export function cannotCreate(folder: string, { full, cause }: { full: boolean; cause: unknown }): SwitchyardError {
  return new SwitchyardError({
    code: 'workspace/cannot-create',
    message: `the workspace ${folder} could not be made: ${messageOf(cause)}`,
    hint: full
      ? 'The disk is full: free some space (the workspaces of ended runs go with: switchyard discard RUN), then retry.'
      : 'See that the folder can be written to and that its disk has space, then retry.',
    retry: full ? 'backoff' : 'never',
    cause,
  });
}
