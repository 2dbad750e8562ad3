import { type Commit, readCommits, treeOf, writeCommit } from './commits.ts';
import { gitError, runGit, splitNul } from './git.ts';

export type Rebased =
  | { readonly kind: 'rebased'; readonly head: string }
  /** The commit that did not fit, and the files that conflict, sorted. */
  | { readonly kind: 'conflict'; readonly commit: string; readonly files: readonly string[] };

export interface RebaseRequest {
  readonly gitDir: string;
  /** The commits after `base` up to `head` are moved; of merges, what they brought to their first parent. */
  readonly base: string;
  readonly head: string;
  readonly onto: string;
}

/**
 * Replays commits on another one without a worktree. Author, dates and message stay; a commit that has become empty is dropped.
 * The same request gives the same commits again. Only objects are written, no ref moves.
 */
export async function rebaseChain({ gitDir, base, head, onto }: RebaseRequest): Promise<Rebased> {
  const commits = await readCommits(gitDir, ['--first-parent', head, `^${base}`]);
  const trees = new Map(commits.map(({ id, tree }) => [id, tree]));
  let tip = { id: onto, tree: await treeOf(gitDir, onto) };
  for (const commit of commits) {
    const parent = commit.parents[0] ?? base;
    const parentTree = trees.get(parent) ?? (await treeOf(gitDir, parent));
    const merged = await replay(gitDir, { commit, parentTree, ontoTree: tip.tree });
    if (merged.kind === 'conflict') return { kind: 'conflict', commit: commit.id, files: merged.files };
    const becameEmpty = merged.tree === tip.tree && commit.tree !== parentTree;
    if (becameEmpty) continue;
    tip = { id: await writeCommit(gitDir, { ...commit, tree: merged.tree, parents: [tip.id] }), tree: merged.tree };
  }
  return { kind: 'rebased', head: tip.id };
}

type Replayed = { kind: 'merged'; tree: string } | { kind: 'conflict'; files: string[] };

/** One commit's change on another tree: a three-way merge of trees, by way of commits made to have the right merge base. */
async function replay(
  gitDir: string,
  change: { commit: Commit; parentTree: string; ontoTree: string },
): Promise<Replayed> {
  const { commit, parentTree, ontoTree } = change;
  if (parentTree === ontoTree) return { kind: 'merged', tree: commit.tree };
  const base = await synthetic(gitDir, parentTree, []);
  const [ours, theirs] = await Promise.all([
    synthetic(gitDir, ontoTree, [base]),
    synthetic(gitDir, commit.tree, [base]),
  ]);
  const args = ['merge-tree', '--write-tree', '-z', '--name-only', '--no-messages', ours, theirs];
  const result = await runGit(args, { gitDir });
  if (result.code > 1) throw gitError(args, result);
  const [tree = '', ...files] = splitNul(result.stdout);
  if (result.code === 0) return { kind: 'merged', tree };
  return { kind: 'conflict', files: files.filter((file) => file !== '').sort() };
}

function synthetic(gitDir: string, tree: string, parents: string[]): Promise<string> {
  const nobody = { name: 'Switchyard', email: 'switchyard@localhost', date: '0 +0000' };
  return writeCommit(gitDir, { tree, parents, author: nobody, committer: nobody, message: 'merge base\n' });
}
