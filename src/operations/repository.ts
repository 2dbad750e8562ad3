import { SwitchyardError } from '../lib/error.ts';
import { resolveCommit } from '../lib/git/refs.ts';
import { inspectRepository, type Repository } from '../lib/git/repository.ts';
import { isThere } from '../lib/is-there.ts';
import { knownAs } from '../store/repositories.ts';
import type { RepositoryRow } from '../store/rows.ts';
import type { GitStore } from '../workspaces/git-store.ts';
import { bringLfs } from '../workspaces/lfs/bring-lfs.ts';
import { repositoryId } from '../workspaces/repository-id.ts';
import { bringSubmodules } from '../workspaces/submodules/bring-submodules.ts';
import type { OperationContext } from './operations.ts';

/** A person's repository that runs can work on. */
export interface UsableRepository {
  readonly row: RepositoryRow;
  readonly store: GitStore;
  readonly found: Repository;
}

/** Looks at the repository that a path lies in. Refuses with `repository/…` what no run could work on. */
export async function usableRepository(context: OperationContext, path: string): Promise<UsableRepository> {
  const found = (await isThere(path)) ? await inspectRepository(path) : undefined;
  if (found === undefined) throw notGit(path);
  if (found.empty) {
    throw new SwitchyardError({
      code: 'repository/empty',
      message: `The repository at ${path} has no commit yet.`,
      hint: 'Make a first commit; a run needs one to start from.',
    });
  }
  if (found.objectFormat !== 'sha1') {
    throw new SwitchyardError({
      code: 'repository/object-format',
      message: `The repository at ${path} uses ${found.objectFormat} objects.`,
      hint: 'Only SHA-1 repositories are supported.',
    });
  }
  const row = await rowOf(context, found);
  return { row, store: await context.host.openStore(row), found };
}

/** The repository as it is known here, or will be: one at the place of another that was moved away gets a name of its own. */
async function rowOf({ engine }: OperationContext, { commonDir, toplevel }: Repository): Promise<RepositoryRow> {
  const place = { path: toplevel ?? commonDir, common_dir: commonDir };
  const usual = repositoryId(commonDir);
  for (let n = 1; ; n++) {
    const id = n === 1 ? usual : `${usual}-${n}`;
    const { here, named } = await knownAs(engine.database, { commonDir, id });
    if (here !== undefined) return { ...place, id: here.id };
    if (named === undefined || named.common_dir == null) return { ...place, id };
  }
}

/** Where a run starts, and where its merge would go. */
export interface Base {
  readonly ref: string;
  readonly commit: string;
  /** Null when the base is no branch. */
  readonly target: string | null;
  /** What a person should know of it, one sentence each. */
  readonly notes: readonly string[];
}

/** Resolves the base of a run: the named one, else the branch that is checked out, else the detached HEAD. */
export async function resolveBase({ store, found }: UsableRepository, wanted: string | undefined): Promise<Base> {
  const ref = wanted ?? found.branch ?? 'HEAD';
  const asBranch = await resolveCommit(found.commonDir, `refs/heads/${ref}`, 'user');
  const commit = asBranch ?? (wanted === undefined ? found.head : await resolveCommit(found.gitDir, ref, 'user'));
  if (commit === undefined) throw noBase(ref);
  await store.fetchCommit(commit);
  const bring = { store: store.path, repository: store.repository, commit };
  const submodules = await bringSubmodules(bring);
  const lfs = await bringLfs(bring);
  return {
    ref: wanted === undefined && found.branch === undefined ? commit : ref,
    commit,
    target: asBranch === undefined ? null : ref,
    notes: [...submodules.notes, ...lfs],
  };
}

function notGit(path: string): SwitchyardError {
  return new SwitchyardError({
    code: 'repository/not-git',
    message: `${path} is not in a git repository.`,
    hint: 'Go to your repository, or make one with `git init` and a first commit.',
  });
}

function noBase(ref: string): SwitchyardError {
  return new SwitchyardError({
    code: 'base/not-found',
    message: `There is no branch or commit ${JSON.stringify(ref)} in this repository.`,
    hint: 'See `git branch --all`; give one with --base.',
  });
}
