import { dateNow, isAncestor, writeCommit } from '../lib/git/commits.ts';
import { withTrailers } from '../lib/git/trailers.ts';
import type { CommitText } from '../ports/workspace.ts';
import type { AgentWork } from './agent-work.ts';
import { runRef } from './git-store.ts';
import { beyond, salvage } from './salvage.ts';
import { type Head, type Site, SWITCHYARD } from './site.ts';
import { keepSubmoduleChanges } from './submodules/workspace-submodules.ts';
import { headOf, type RefusedLink, takeCommits } from './take-commits.ts';
import type { Snapshot, TreeGit } from './tree-git.ts';
import { LARGEST_FILE } from './tree-scripts.ts';

/** The parts of `Workspace.collect`, in their order. */

/** Takes the agent's commits on the run's branch; what else it committed, or what cannot be taken, is kept below salvage refs. */
export async function gatherCommits(
  site: Site,
  from: Head,
  { work, text }: { work: AgentWork; text: CommitText },
): Promise<{ head: Head; notes: string[] }> {
  const own = { name: `switchyard/${site.slug}`, commit: work.branch ?? from.commit };
  const taken = await ownCommits(site, from, { work, text });
  const reached = taken.head === undefined ? [from.commit] : [from.commit, own.commit];
  const aside = await beyond(site.store.path, [own, ...work.others], reached);
  return { head: taken.head ?? from, notes: [...taken.notes, ...(await salvage(site, aside))] };
}

async function ownCommits(
  site: Site,
  from: Head,
  { work, text }: { work: AgentWork; text: CommitText },
): Promise<{ head?: Head; notes: string[] }> {
  if (work.branch === undefined)
    return { notes: ["The run's branch was deleted in the workspace; it was made again."] };
  if (work.branch === from.commit) return { head: from, notes: [] };
  if (!work.sound) return { notes: ['The commits in the workspace are malformed: their changes became one commit.'] };
  const taken = await takeCommits(site, from, { tip: work.branch, text });
  if (taken.kind === 'taken') return { head: taken.head, notes: taken.gitlinks.map((link) => refused(link)) };
  return { notes: [NOT_TAKEN[taken.kind]] };
}

const NOT_TAKEN = {
  'not-linear': 'The commits in the workspace contain merges: their changes became one commit.',
  rewritten: "The branch in the workspace no longer stands on the run's commits: its changes became one commit.",
};

const refused = ({ path, isSubmodule }: RefusedLink): string =>
  isSubmodule ? `${path} is a submodule: the run leaves it at its commit.` : leftOut(path);

const leftOut = (path: string): string => `${path} is a repository of its own: it was left out.`;

/** Names what a snapshot left out; the files of nested repositories are kept below a salvage ref. */
export async function nameLeftOut(
  site: Site,
  tree: TreeGit,
  { snapshot, head }: { snapshot: Snapshot; head: Head },
): Promise<string[]> {
  const { nested, unreadable, large } = snapshot;
  const within = [...(await keepSubmoduleChanges(site, (made) => tree.give([made], [head.tree])))];
  if (large.length > 0) within.push(tooLarge(large));
  if (!nested && unreadable === undefined) return within;
  const saved = await tree.saveNested([head.tree]);
  const notes = [...within, ...(saved === undefined ? [] : await keepNested(site, saved))];
  if (unreadable !== undefined) notes.push(`Some files could not be read and were left out: ${unreadable.trim()}`);
  return notes;
}

const NAMED = 5;

function tooLarge(paths: readonly string[]): string {
  const more = paths.length - NAMED;
  const names = `${paths.slice(0, NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  return `Files of more than ${LARGEST_FILE / 1024 ** 3} GiB were left out, and are kept nowhere: ${names}.`;
}

/** A commit that stays the same as long as the files do, whatever the run's head. */
async function keepNested(site: Site, { paths, tree }: { paths: string[]; tree: string }): Promise<string[]> {
  const { path } = site.store;
  const someone = { ...SWITCHYARD, date: (await headOf(path, site.base)).date };
  const message = `Files of nested repositories\n\n${paths.join('\n')}\n`;
  const commit = await writeCommit(path, { tree, parents: [site.base], author: someone, committer: someone, message });
  const kept = await salvage(site, [{ name: 'nested', commit }]);
  return [...paths.map((path) => leftOut(path)), ...kept];
}

/** One commit of all changes between the parent and the tree. */
export async function commitChanges(
  store: string,
  { tree, parent, text }: { tree: string; parent: Head; text: CommitText },
): Promise<Head> {
  const date = dateNow();
  const commit = await writeCommit(store, {
    tree,
    parents: [parent.commit],
    author: { ...text.identity, date },
    committer: { ...SWITCHYARD, date },
    message: withTrailers(text.message, text.trailers),
  });
  return { commit, tree, date };
}

/** Has the run's head ref keep the commit. What another attempt may have put there meanwhile is kept as well. */
export async function keepHead(site: Site, commit: string, expected: string | null): Promise<void> {
  const { store, run } = site;
  const ref = runRef(run, 'head');
  for (let from = expected; !(await store.keep(ref, commit, from)); ) {
    const actual = (await store.resolve(ref)) ?? null;
    if (actual !== null && !(await isAncestor(store.path, actual, commit))) {
      await salvage(site, [{ name: `overtaken-${actual.slice(0, 12)}`, commit: actual }]);
    }
    from = actual;
  }
}
