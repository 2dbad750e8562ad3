import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Commit, isAncestor, readCommits, treeOf, writeCommit } from '../lib/git/commits.ts';
import { git, gitLine } from '../lib/git/git.ts';
import { type Gitlink, gitlinksAt } from '../lib/git/gitlinks.ts';
import { withTrailers } from '../lib/git/trailers.ts';
import type { CommitText } from '../ports/workspace.ts';
import { readable } from './raw-differences.ts';
import { type Head, type Site, SWITCHYARD } from './site.ts';

export type Taken =
  | { readonly kind: 'taken'; readonly head: Head; readonly gitlinks: readonly RefusedLink[] }
  /** Commits with merges among them: their changes are to become one commit. */
  | { readonly kind: 'not-linear' }
  /** The branch does not stand on the run's commits any more. */
  | { readonly kind: 'rewritten' };

/** A repository within the checkout that commits named: a new one, or a submodule of the run's at another commit. */
export interface RefusedLink {
  readonly path: string;
  readonly isSubmodule: boolean;
}

/**
 * The agent's commits between `head` and `tip`, written again as the run's: same files without new or changed gitlinks, same date and message,
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
    ? await gitlinksAt(store.path, head.commit)
    : undefined;
  const dropped = new Map<string, RefusedLink>();
  let at = head;
  for (const commit of commits) {
    const tree =
      links === undefined ? commit.tree : await withoutGitlinks(site, { tree: commit.tree, keep: links, dropped });
    if (tree === at.tree) continue;
    at = await rewrite(store.path, { commit, tree, parent: at, text });
  }
  return { kind: 'taken', head: at, gitlinks: [...dropped.keys()].sort().flatMap((path) => dropped.get(path) ?? []) };
}

function isChain(commits: readonly Commit[], from: string): boolean {
  let parent = from;
  for (const commit of commits) {
    if (commit.parents.length !== 1 || commit.parents[0] !== parent) return false;
    parent = commit.id;
  }
  return commits.length > 0;
}

/** Trailers that are the harness's to give: an agent's would make its commit another run's. */
const OURS = /^switchyard-[a-z-]+[ \t]*:.*\n?/gim;

async function rewrite(
  store: string,
  { commit, tree, parent, text }: { commit: Commit; tree: string; parent: Head; text: CommitText },
): Promise<Head> {
  const author = { ...text.identity, date: commit.author.date === '' ? parent.date : commit.author.date };
  const message = withTrailers(commit.message.replaceAll(OURS, ''), text.trailers);
  const committer = { ...SWITCHYARD, date: author.date };
  const id = await writeCommit(store, { tree, parents: [parent.commit], author, committer, message });
  return { commit: id, tree, date: author.date };
}

async function hasGitlinks(store: string, tip: string, head: string): Promise<boolean> {
  const args = ['log', '-z', '--raw', '--no-abbrev', '--no-renames', '--diff-merges=first-parent', '--format='];
  const output = await git([...args, tip, `^${head}`, '--'], { gitDir: store });
  return /:\d{6} 160000 /.test(output.toString('latin1'));
}

/** The tree with no other gitlinks than those that are to be kept; what that changes is added to `dropped`. */
async function withoutGitlinks(
  { store, layout }: Site,
  { tree, keep, dropped }: { tree: string; keep: readonly Gitlink[]; dropped: Map<string, RefusedLink> },
): Promise<string> {
  const found = await gitlinksAt(store.path, tree);
  const links = found.filter(({ path, commit }) => !keep.some((kept) => kept.path === path && kept.commit === commit));
  if (links.length === 0) return tree;
  const index = join(layout.git, 'rewrite.index');
  // Git writes through a link that has the name of an index.
  await rm(index, { force: true });
  const options = { gitDir: store.path, env: { GIT_INDEX_FILE: index } };
  await git(['read-tree', tree], options);
  const lines = links.map(({ path }) => {
    const kept = keep.find((one) => one.path === path);
    dropped.set(path, { path: readable(path), isSubmodule: kept !== undefined });
    return kept === undefined ? `0 ${'0'.repeat(tree.length)}\t${path}\0` : `160000 ${kept.commit}\t${path}\0`;
  });
  const input = Buffer.from(lines.join(''), 'latin1');
  await git(['update-index', '-z', '--index-info'], { ...options, input });
  return gitLine(['write-tree'], options);
}

/** A head that a commit in the store makes. */
export async function headOf(store: string, commit: string): Promise<Head> {
  const [found] = await readCommits(store, ['--no-walk', commit]);
  return { commit, tree: found?.tree ?? (await treeOf(store, commit)), date: found?.committer.date ?? '0 +0000' };
}
