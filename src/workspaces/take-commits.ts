import { join } from 'node:path';
import { type Commit, isAncestor, readCommits, submodulesAt, treeOf, writeCommit } from '../lib/git/commits.ts';
import { git, gitLine, splitNul } from '../lib/git/git.ts';
import { withTrailers } from '../lib/git/trailers.ts';
import type { CommitText } from '../ports/workspace.ts';
import { type Head, type Site, SWITCHYARD } from './site.ts';

export type Taken =
  | { readonly kind: 'taken'; readonly head: Head; readonly gitlinks: readonly string[] }
  /** Commits with merges among them: their changes are to become one commit. */
  | { readonly kind: 'not-linear' }
  /** The branch does not stand on the run's commits any more. */
  | { readonly kind: 'rewritten' };

/**
 * The agent's commits between `head` and `tip`, written again as the run's: same files without new gitlinks, same date and message,
 * the run's identity as author, trailers added, Switchyard as committer. The same commits always become the same commits. Those without changes go.
 */
export async function takeCommits(
  site: Site,
  head: Head,
  { tip, text }: { tip: string; text: CommitText },
): Promise<Taken> {
  const { store } = site;
  if (tip === head.commit) return { kind: 'taken', head, gitlinks: [] };
  const commits = await readCommits(store.path, [tip, `^${head.commit}`]);
  if (!isChain(commits, head.commit)) {
    return { kind: (await isAncestor(store.path, head.commit, tip)) ? 'not-linear' : 'rewritten' };
  }
  const links = (await hasGitlinks(store.path, tip, head.commit))
    ? await submodulesAt(store.path, head.commit)
    : undefined;
  const dropped = new Set<string>();
  let at = head;
  for (const commit of commits) {
    const tree =
      links === undefined ? commit.tree : await withoutGitlinks(site, { tree: commit.tree, keep: links, dropped });
    if (tree === at.tree) continue;
    at = await rewrite(store.path, { commit, tree, parent: at, text });
  }
  return { kind: 'taken', head: at, gitlinks: [...dropped].sort() };
}

function isChain(commits: readonly Commit[], from: string): boolean {
  let parent = from;
  for (const commit of commits) {
    if (commit.parents.length !== 1 || commit.parents[0] !== parent) return false;
    parent = commit.id;
  }
  return commits.length > 0;
}

async function rewrite(
  store: string,
  { commit, tree, parent, text }: { commit: Commit; tree: string; parent: Head; text: CommitText },
): Promise<Head> {
  const author = { ...text.identity, date: commit.author.date === '' ? parent.date : commit.author.date };
  const message = withTrailers(commit.message, text.trailers);
  const committer = { ...SWITCHYARD, date: author.date };
  const id = await writeCommit(store, { tree, parents: [parent.commit], author, committer, message });
  return { commit: id, tree, date: author.date };
}

async function hasGitlinks(store: string, tip: string, head: string): Promise<boolean> {
  const args = ['log', '-z', '--raw', '--no-abbrev', '--no-renames', '--diff-merges=first-parent', '--format='];
  const output = await git([...args, tip, `^${head}`, '--'], { gitDir: store });
  return /:\d{6} 160000 /.test(output.toString('latin1'));
}

/** The tree without the gitlinks that are not to be kept, whose paths are added to `dropped`. */
async function withoutGitlinks(
  { store, layout }: Site,
  { tree, keep, dropped }: { tree: string; keep: readonly string[]; dropped: Set<string> },
): Promise<string> {
  const links = (await submodulesAt(store.path, tree)).filter((path) => !keep.includes(path));
  if (links.length === 0) return tree;
  for (const link of links) dropped.add(link);
  const options = { gitDir: store.path, env: { GIT_INDEX_FILE: join(layout.git, 'rewrite.index') } };
  await git(['read-tree', tree], options);
  const entries = splitNul((await git(['ls-files', '-z', '--stage'], options)).toString('latin1'));
  const gone = entries
    .filter((entry) => entry.startsWith('160000 '))
    .map((entry) => entry.slice(entry.indexOf('\t') + 1));
  const unwanted = gone.filter((path) => !keep.includes(Buffer.from(path, 'latin1').toString()));
  const zero = '0'.repeat(tree.length);
  const input = Buffer.from(unwanted.map((path) => `0 ${zero}\t${path}\0`).join(''), 'latin1');
  await git(['update-index', '-z', '--index-info'], { ...options, input });
  return gitLine(['write-tree'], options);
}

/** A head that a commit in the store makes. */
export async function headOf(store: string, commit: string): Promise<Head> {
  const [found] = await readCommits(store, ['--no-walk', commit]);
  return { commit, tree: found?.tree ?? (await treeOf(store, commit)), date: found?.committer.date ?? '0 +0000' };
}
