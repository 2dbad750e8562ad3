import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type CrashPoint, noCrashPoint } from '../lib/crash-point.ts';
import { SwitchyardError } from '../lib/error.ts';
import { linkLooseObjects } from '../lib/git/link-loose.ts';
import { readLooseObject } from '../lib/git/loose-objects.ts';
import { changeRef, listRefs, type Ref, resolveCommit } from '../lib/git/refs.ts';
import { inspectRepository } from '../lib/git/repository.ts';
import { isThere } from '../lib/is-there.ts';
import { checkpointKey } from './checkpoint-key.ts';
import { createBareRepository } from './create-bare-repository.ts';
import { fetchedRef, fetchFromUser } from './fetch-from-user.ts';
import { repositoryId } from './repository-id.ts';
import { hasRef, openSource, sourceObjects } from './source-objects.ts';
import { moveRefs } from './trash.ts';

/**
 * The harness's own bare copy of one user repository, `repos/<id>.git`: where every commit of a run is kept, by refs below
 * `refs/switchyard/` that the user's repository never sees. Nothing is ever pruned here without a retention period that a person set.
 * What was fetched lies apart from what runs have made (`source-objects.ts`).
 */
export interface GitStore {
  /** `<slug of the repository's name>-<8 hex digits of the path that it was first seen at>`. */
  readonly id: string;
  /** The bare repository, absolute. */
  readonly path: string;
  /** The user's repository: its common git directory, absolute. */
  readonly repository: string;

  /**
   * Brings a commit of the user's repository here, with all its history, and returns its id. Writes nothing over there.
   * `repository/unknown-commit` when it names none, `repository/shallow` and `repository/partial` when the history is not all there.
   */
  fetchCommit(refOrSha: string, signal?: AbortSignal): Promise<string>;
  /**
   * Tells that the user's repository has a commit of this store now: it is fetched, so that nobody waits for that when it is asked for. If
   * that fails, it is fetched when it is.
   */
  shares(commit: string): Promise<void>;
  /** Whether a commit was fetched here with all its history: then programs of every run may read it. */
  hasFetched(commit: string): Promise<boolean>;
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

export type StoredRef = Ref;

export interface GitStoreOptions {
  /** Parent of all stores, `$SWITCHYARD_HOME/repos`. */
  readonly folder: string;
  /** Any path in the user's repository. */
  readonly repositoryPath: string;
  /** Of a store that is known already; else one is made of the path. */
  readonly id?: string;
  readonly crashPoint?: CrashPoint;
}

export const runRef = (run: string, name: string): string => `refs/switchyard/runs/${run}/${name}`;
export const salvageRef = (run: string, name: string): string => `refs/switchyard/salvage/${run}/${name}`;
export const trashRef = (run: string, name: string): string => `refs/switchyard/trash/${run}/${name}`;

/** Opens the store of a user's repository, making it on first use. `repository/not-git` when there is no repository. */
export async function openGitStore({
  folder,
  repositoryPath,
  id: known,
  crashPoint = noCrashPoint,
}: GitStoreOptions): Promise<GitStore> {
  const repository = await inspectRepository(repositoryPath);
  if (repository === undefined) {
    throw new SwitchyardError({
      code: 'repository/not-git',
      message: `${repositoryPath} is not in a git repository`,
      hint: 'Go to your repository, or make one: git init',
    });
  }
  const { commonDir, gitDir, objectFormat } = repository;
  const id = known ?? repositoryId(commonDir);
  const path = join(folder, `${id}.git`);
  if (!(await isThere(path))) {
    await mkdir(folder, { recursive: true });
    await createBareRepository(path, objectFormat);
  }
  await checkpointKey(path);
  // Git sees it in its walls, so it has to be there.
  await mkdir(join(path, 'lfs/objects'), { recursive: true });
  const source = await openSource(path, objectFormat);
  const fetchCommit = async (refOrSha: string, signal?: AbortSignal): Promise<string> => {
    const commit = await fetchFromUser({ gitDir, commonDir, store: source, signal }, refOrSha);
    const ref = fetchedRef(commit);
    // By this one, whoever looks at all that the store's refs keep sees it as well.
    if (!(await hasRef(path, ref))) await changeRef(path, { ref, to: commit });
    return commit;
  };
  const hasFetched = (commit: string) => hasRef(source, fetchedRef(commit));
  return {
    id,
    path,
    repository: commonDir,
    fetchCommit,
    async shares(commit) {
      try {
        // What was brought there just now lies there as files, and need not come back.
        const isOver = (await readLooseObject(commonDir, commit)) !== undefined;
        const link = { ids: [commit], isThere: hasFetched, into: sourceObjects(path) };
        if (isOver && (await linkLooseObjects(path, link))) {
          const ref = { ref: fetchedRef(commit), to: commit };
          await Promise.all([changeRef(source, ref), changeRef(path, ref)]);
        } else await fetchCommit(commit);
      } catch {
        // Then it is fetched when it is asked for.
      }
    },
    hasFetched,
    resolve: (revision) => resolveCommit(path, revision),
    keep: (ref, to, from) => changeRef(path, from === undefined ? { ref, to } : { ref, to, from }),
    drop: (ref, from) => changeRef(path, from === undefined ? { ref, to: null } : { ref, to: null, from }),
    list: (prefix) => listRefs(path, prefix),
    moveToTrash: (run) => moveRefs({ store: path, from: runRef(run, ''), to: trashRef(run, ''), crashPoint }),
    restoreFromTrash: (run) => moveRefs({ store: path, from: trashRef(run, ''), to: runRef(run, ''), crashPoint }),
  };
}
