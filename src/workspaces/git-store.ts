import type { CrashPoint } from '../lib/crash-point.ts';

/**
 * The harness's own bare copy of one user repository, `repos/<id>.git`: where every commit of a run is kept, by refs below
 * `refs/switchyard/` that the user's repository never sees. Nothing is ever pruned here without a retention period that a person set.
 */
export interface GitStore {
  /** `<slug of the repository's name>-<8 hex digits of its path>`. */
  readonly id: string;
  /** The bare repository, absolute. */
  readonly path: string;
  /** The user's repository: its common git directory, absolute. */
  readonly repository: string;

  /**
   * Brings a commit of the user's repository here, with all its history, and returns its id. Writes nothing over there.
   * `git/unknown-commit` when it names none, `repository/shallow` and `repository/partial` when the history is not all there.
   */
  fetchCommit(refOrSha: string, signal?: AbortSignal): Promise<string>;
  /** The commit that a ref or revision names here, undefined when none. */
  resolve(revision: string): Promise<string | undefined>;
  /**
   * Sets a ref. With `expected` only if the ref points there now (null: does not exist); false when it does not.
   * Already there is true.
   */
  keep(ref: string, commit: string, expected?: string | null): Promise<boolean>;
  /** Deletes a ref, with `expected` only if it points there; false when it does not. Deleting what is not there is true. */
  drop(ref: string, expected?: string): Promise<boolean>;
  /** All refs below the prefix (which ends with `/`), sorted by name. */
  list(prefix: string): Promise<readonly StoredRef[]>;
  /** Moves `runs/<run>/…` to `trash/<run>/…`, all at once; returns what then lies in the trash. Again is the same. */
  moveToTrash(run: string): Promise<readonly StoredRef[]>;
  /** The way back; returns what then lies below `runs/<run>/`. */
  restoreFromTrash(run: string): Promise<readonly StoredRef[]>;
}

export interface StoredRef {
  readonly ref: string;
  readonly commit: string;
}

export interface GitStoreOptions {
  /** Parent of all stores, `$SWITCHYARD_HOME/repos`. */
  readonly folder: string;
  /** Any path in the user's repository. */
  readonly repositoryPath: string;
  readonly crashPoint?: CrashPoint;
}

export const runRef = (run: string, name: string): string => `refs/switchyard/runs/${run}/${name}`;
export const salvageRef = (run: string, name: string): string => `refs/switchyard/salvage/${run}/${name}`;
export const trashRef = (run: string, name: string): string => `refs/switchyard/trash/${run}/${name}`;

/** Opens the store of a user's repository, making it on first use. `repository/not-git` when there is no repository. */
export async function openGitStore(_options: GitStoreOptions): Promise<GitStore> {
  throw new Error('being written');
}
