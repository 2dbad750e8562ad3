import { isAncestor, readCommit, writeCommit, writeTreeOfFolders } from '../lib/git/commits.ts';
import { git, splitNul } from '../lib/git/git.ts';
import { keptParts, restorePart } from './private-parts.ts';
import { type Head, type Site, SWITCHYARD } from './site.ts';
import type { SavedPart } from './tree-scripts.ts';

/**
 * A checkpoint is a commit whose tree holds `tree` (the checkout) and, encrypted, `carry` (untracked files that were asked for) and `homes`
 * (agents' session files). Its first parent is the tip of the run's branch, further ones are what else the agent committed.
 */
export interface Checkpoint {
  readonly commit: string;
  /** The tree of the checkout. */
  readonly tree: string;
  /** The entries of its tree. */
  readonly entries: ReadonlyMap<string, string>;
  /** The checkout's tree stands on this commit. */
  readonly parent: string | undefined;
}

/** Writes the commit of a checkpoint; the same state gives the same commit. */
export async function writeCheckpoint(
  site: Site,
  { head, folders, tips }: { head: Head; folders: ReadonlyMap<string, string>; tips: readonly string[] },
): Promise<string> {
  const { path } = site.store;
  const tree = await writeTreeOfFolders(path, folders);
  const someone = { ...SWITCHYARD, date: head.date };
  const message = `Checkpoint of ${site.step}, attempt ${site.attempt}\n\nSwitchyard-Run: ${site.run}\n`;
  return writeCommit(site.store.path, { tree, parents: tips, author: someone, committer: someone, message });
}

/** Reads a checkpoint. */
export async function readCheckpoint(store: string, commit: string): Promise<Checkpoint> {
  const [{ parents }, listed] = await Promise.all([
    readCommit(store, commit),
    git(['ls-tree', '-z', commit], { gitDir: store }),
  ]);
  const entries = new Map(
    splitNul(listed).map((entry) => [entry.slice(entry.indexOf('\t') + 1), entry.split(/[ \t]/, 3)[2] ?? '']),
  );
  return { commit, tree: entries.get('tree') ?? '', entries, parent: parents[0] };
}

/** Whether the checkout of the checkpoint holds all that the head does, so that it can stand in its place. */
export async function standsOn(store: string, { parent }: Checkpoint, head: string): Promise<boolean> {
  return parent !== undefined && isAncestor(store, head, parent);
}

/** What a checkpoint of this workspace holds besides the checkout. */
export function savedParts(
  { layout, carry, sessionFiles }: Site,
  known: (name: SavedPart['name']) => string | undefined,
): SavedPart[] {
  const homes = sessionFiles.flatMap(({ agent, globs }) => globs.map((glob) => `:(top,glob)${agent}/${glob}`));
  return [
    ...(carry.length === 0
      ? []
      : [{ name: 'carry', folder: layout.tree, pathspecs: carry.map((glob) => `:(top,glob)${glob}`) } as const]),
    ...(homes.length === 0 ? [] : [{ name: 'homes', folder: layout.homes, pathspecs: homes } as const]),
  ].map((part) => ({ ...part, known: known(part.name) }));
}

/**
 * Puts carried and session files of a checkpoint in their places, over what is there. What cannot be read any more is lost: returns what a
 * person should know.
 */
export async function restoreParts(site: Site, { commit, entries }: Checkpoint): Promise<string[]> {
  const notes: string[] = [];
  for (const part of keptParts(entries)) {
    const [what, folder] = OF_PARTS[part.name];
    const onLost = (why: string) =>
      notes.push(`The ${what} in checkpoint ${commit.slice(0, 12)} cannot be read (${why}): they are lost.`);
    await restorePart(site, part, { folder: site.layout[folder], onLost });
  }
  return notes;
}

const OF_PARTS = { carry: ['carried files', 'tree'], homes: ["agents' sessions", 'homes'] } as const;
