import { type Commit, readCommits, treeOf, writeCommit } from './commits.ts';
import { git, gitError, runGit, splitNul } from './git.ts';

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
 * Replays commits on another one without a worktree. Author, dates and message stay; a commit that has become empty is dropped, and
 * where there would be a conflict, so is one whose change is a commit of `onto` already. The same request gives the same commits
 * again. Only objects are written, no ref moves.
 */
export async function rebaseChain(request: RebaseRequest): Promise<Rebased> {
  const { gitDir, base, head } = request;
  const commits = await readCommits(gitDir, ['--first-parent', head, `^${base}`]);
  const rebased = await replayAll(request, commits, new Set());
  if (rebased.kind === 'rebased') return rebased;
  const there = await thereAlready(request);
  return commits.some(({ id }) => there.has(id)) ? replayAll(request, commits, there) : rebased;
}

/** Leaves out the commits of `without`; what follows them is replayed as the change that it makes on top of them. */
async function replayAll(
  { gitDir, base, onto }: RebaseRequest,
  commits: readonly Commit[],
  without: ReadonlySet<string>,
): Promise<Rebased> {
  const trees = new Map(commits.map(({ id, tree }) => [id, tree]));
  let tip = { id: onto, tree: await treeOf(gitDir, onto) };
  for (const commit of commits) {
    if (without.has(commit.id)) continue;
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

/** The commits up to `head` that make the same change as a commit of `onto`, as git compares patches. */
async function thereAlready({ gitDir, head, onto }: RebaseRequest): Promise<ReadonlySet<string>> {
  const marked = await git(['rev-list', '--right-only', '--cherry-mark', '--no-merges', `${onto}...${head}`], {
    gitDir,
  });
  const lines = marked.toString('latin1').split('\n');
  return new Set(lines.filter((line) => line.startsWith('=')).map((line) => line.slice(1)));
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
