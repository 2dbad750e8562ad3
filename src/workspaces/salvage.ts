import { isAncestor, writeCommit } from '../lib/git/commits.ts';
import { git } from '../lib/git/git.ts';
import { changeRefs } from '../lib/git/refs.ts';
import { type StoredRef, salvageRef } from './git-store.ts';
import { type Site, SWITCHYARD } from './site.ts';
import { headOf } from './take-commits.ts';

/** A commit that has to be kept, and what it was called where it comes from. */
export interface NamedCommit {
  readonly name: string;
  readonly commit: string;
}

/** An agent can make as many refs as it likes; beyond these, one commit with all of them as parents is kept in their place. */
const MANY = 200;

/**
 * Keeps commits below the run's salvage refs, each under a name of its own; returns one sentence for each that was not there yet. However
 * many they are, it takes git two or three times.
 */
export async function salvage(site: Site, commits: readonly NamedCommit[]): Promise<string[]> {
  if (commits.length === 0) return [];
  const { store, run } = site;
  const refs = [...(await store.list(salvageRef(run, '')))];
  const kept = new Set(refs.map(({ commit }) => commit));
  const isMany = commits.length > MANY;
  const all = isMany ? [await together(site, commits)] : commits;
  const made: { name: string; ref: string; commit: string }[] = [];
  for (const { name, commit } of all) {
    if (kept.has(commit)) continue;
    kept.add(commit);
    const ref = freeRef(salvageRef(run, ''), { name, commit, refs });
    refs.push({ ref, commit });
    made.push({ name, ref, commit });
  }
  await changeRefs(
    store.path,
    made.map(({ ref, commit }) => ({ ref, to: commit })),
  );
  return made.map(({ name, ref, commit }) =>
    isMany
      ? `${commits.length} commits of refs in the workspace are not on the run's branch: kept as the parents of ${ref}.`
      : `Commit ${commit.slice(0, 12)} (${name}) is not on the run's branch: kept as ${ref}.`,
  );
}

/** One commit that keeps them all; the same ones give the same commit. */
async function together(site: Site, commits: readonly NamedCommit[]): Promise<NamedCommit> {
  const { store, base } = site;
  const { tree, date } = await headOf(store.path, base);
  const someone = { ...SWITCHYARD, date };
  const parents = [...new Set(commits.map(({ commit }) => commit))].sort();
  const names = commits.map(({ name, commit }) => `${commit} ${name}\n`).join('');
  const message = `Commits of ${parents.length} refs\n\n${names}`;
  const commit = await writeCommit(store.path, { tree, parents, author: someone, committer: someone, message });
  return { name: 'many-refs', commit };
}

/** A file's name has at most 255 bytes, and the whole path has to fit as well. */
const LONGEST_NAME = 120;

/** A ref below the prefix that is not there yet, and that no other one is in the way of. */
function freeRef(
  prefix: string,
  { name, commit, refs }: NamedCommit & { readonly refs: readonly StoredRef[] },
): string {
  const short = commit.slice(0, 12);
  const plain = `${prefix}${Buffer.byteLength(name) > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME / 2)}-${short}` : name}`;
  const isFree = (ref: string) =>
    !refs.some((other) => other.ref === ref || other.ref.startsWith(`${ref}/`) || ref.startsWith(`${other.ref}/`));
  if (isFree(plain)) return plain;
  const flat = `${prefix}${plain.slice(prefix.length).replaceAll('/', '-')}-${short}`;
  return isFree(flat) ? flat : `${prefix}commit-${commit}`;
}

/** So few are looked for one by one: most are found among the latest commits, without a process. */
const FEW = 2;

/** Those of the tips that are not part of the history of any of the commits. */
export async function beyond<T extends { readonly commit: string }>(
  store: string,
  tips: readonly T[],
  commits: readonly string[],
): Promise<T[]> {
  const others = tips.filter(({ commit }) => !commits.includes(commit));
  if (others.length === 0) return [];
  if (new Set(others.map(({ commit }) => commit)).size > FEW) {
    const input = [...others.map(({ commit }) => commit), ...commits.map((commit) => `^${commit}`), ''].join('\n');
    const left = new Set((await git(['rev-list', '--stdin'], { gitDir: store, input })).toString().split('\n'));
    return others.filter(({ commit }) => left.has(commit));
  }
  const left: T[] = [];
  for (const tip of others) {
    let reached = false;
    for (const commit of commits) reached ||= await isAncestor(store, tip.commit, commit);
    if (!reached) left.push(tip);
  }
  return left;
}
