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

/** Makes and removes the bare checkout of a commit: the part that differs between hosts. */
export interface WorkspaceProvider {
  readonly kind: string;
  /**
   * Fills `spec.folder` (absent or empty before) with the files of the commit. The git directories are made by the caller.
   * Full disk and the like reject with `workspace/cannot-create`.
   */
  create(spec: { mirror: string; gitDir: string; folder: string; commit: string; signal: AbortSignal }): Promise<void>;
  /** Removes the folder and whatever it stood on. Removing what is not there is fine. */
  remove(folder: string): Promise<void>;
}
