import { git, gitError, gitLine, runGit, splitNul } from './git.ts';
import { parentsOf, readLooseCommit } from './loose-commits.ts';
import { readLooseObject, writeLooseObject } from './loose-objects.ts';

export interface Commit {
  readonly id: string;
  readonly tree: string;
  readonly parents: readonly string[];
  readonly author: Signature;
  readonly committer: Signature;
  readonly message: string;
}

export interface Signature {
  readonly name: string;
  readonly email: string;
  /** Git's raw form, `<seconds> <zone>`. */
  readonly date: string;
}

const FIELDS = ['%H', '%T', '%P', '%an', '%ae', '%ad', '%cn', '%ce', '%cd', '%B'] as const;
type Fields = [string, string, string, string, string, string, string, string, string, string];

/** The commits that `revisions` (as for `git log`) select, oldest first. */
export async function readCommits(gitDir: string, revisions: readonly string[]): Promise<Commit[]> {
  const single = revisions.length === 2 && revisions[0] === '--no-walk' ? revisions[1] : undefined;
  const loose = single === undefined ? undefined : await readLooseCommit(gitDir, single);
  if (loose !== undefined) return [loose];
  const format = ['-z', '--date=raw', '--encoding=UTF-8', `--format=${FIELDS.join('%x00')}`];
  const fields = splitNul(await git(['log', '--reverse', '--topo-order', ...format, ...revisions, '--'], { gitDir }));
  const commits: Commit[] = [];
  for (let n = 0; n + FIELDS.length <= fields.length; n += FIELDS.length) {
    commits.push(commitOf(fields.slice(n, n + FIELDS.length) as unknown as Fields));
  }
  return commits;
}

function commitOf([id, tree, parents, an, ae, ad, cn, ce, cd, message]: Fields): Commit {
  return {
    id,
    tree,
    parents: parents === '' ? [] : parents.split(' '),
    author: { name: an, email: ae, date: ad },
    committer: { name: cn, email: ce, date: cd },
    message,
  };
}

/** One commit by its id. */
export async function readCommit(gitDir: string, id: string): Promise<Commit> {
  const [commit] = await readCommits(gitDir, ['--no-walk', id]);
  if (commit === undefined) throw new Error(`no commit ${id}`);
  return commit;
}

/** Writes a commit of a tree that is there, and returns its id. The same commit gives the same id. */
export async function writeCommit(gitDir: string, commit: Omit<Commit, 'id'>): Promise<string> {
  const { tree, parents, author, committer, message } = commit;
  const headers = [
    `tree ${tree}`,
    ...parents.map((parent) => `parent ${parent}`),
    `author ${identLine(author)}`,
    `committer ${identLine(committer)}`,
  ];
  const text = message.endsWith('\n') ? message : `${message}\n`;
  const content = Buffer.from(`${headers.join('\n')}\n\n${text.replaceAll('\0', '')}`);
  return writeLooseObject(gitDir, { type: 'commit', content, like: tree });
}

/** Writes a tree of folders, whose trees are there, and returns its id. */
export async function writeTreeOfFolders(gitDir: string, folders: ReadonlyMap<string, string>): Promise<string> {
  const sorted = [...folders].sort(([a], [b]) => (`${a}/` < `${b}/` ? -1 : 1));
  const entries = sorted.map(([name, id]) => ({ mode: '40000', name, id }) as const);
  return writeTree(gitDir, entries, entries[0]?.id ?? '');
}

export interface TreeEntry {
  readonly mode: '40000' | '100644';
  readonly name: string;
  readonly id: string;
}

/** Writes a tree of what is there, in git's order, and returns its id. The repository's object format is that of `like`, one of its ids. */
export async function writeTree(gitDir: string, entries: readonly TreeEntry[], like: string): Promise<string> {
  const content = entries.flatMap(({ mode, name, id }) => [Buffer.from(`${mode} ${name}\0`), Buffer.from(id, 'hex')]);
  return writeLooseObject(gitDir, { type: 'tree', content: Buffer.concat(content), like });
}

/** What cannot stand in a commit's header is left out, as git itself does. */
function identLine({ name, email, date }: Signature): string {
  const clean = (text: string): string => text.replaceAll(/[<>\p{Cc}]/gu, '').trim();
  return `${clean(name) || clean(email) || 'unknown'} <${clean(email)}> ${/^\d+ [+-]\d{4}$/.test(date) ? date : '0 +0000'}`;
}

/** This moment in git's raw form, in the zone of this machine. */
export function dateNow(): string {
  const now = new Date();
  const east = -now.getTimezoneOffset();
  const digits = String(Math.floor(Math.abs(east) / 60) * 100 + (Math.abs(east) % 60)).padStart(4, '0');
  return `${Math.floor(now.getTime() / 1000)} ${east < 0 ? '-' : '+'}${digits}`;
}

/** The tree of a commit. */
export async function treeOf(gitDir: string, commit: string): Promise<string> {
  const loose = await readLooseObject(gitDir, commit);
  if (loose?.type === 'commit') return loose.content.subarray(5, 5 + commit.length).toString('latin1');
  return gitLine(['rev-parse', '--verify', '--end-of-options', `${commit}^{tree}`], { gitDir });
}

/** Whether the first commit is the second or an ancestor of it. */
export async function isAncestor(gitDir: string, ancestor: string, descendant: string): Promise<boolean> {
  if (ancestor === descendant || (await isNearAncestor(gitDir, ancestor, descendant))) return true;
  const args = ['merge-base', '--is-ancestor', ancestor, descendant];
  const result = await runGit(args, { gitDir });
  if (result.code > 1) throw gitError(args, result);
  return result.code === 0;
}

/** How many commits are looked at before git is asked, which sees them all. */
const NEAR = 6;

/** True where it is found among the latest commits; false says nothing. */
async function isNearAncestor(gitDir: string, ancestor: string, descendant: string): Promise<boolean> {
  const waiting = [descendant];
  for (let looked = 0; looked < NEAR; looked++) {
    const next = waiting.shift();
    if (next === undefined) return false;
    const parents = await parentsOf(gitDir, next);
    if (parents.includes(ancestor)) return true;
    waiting.push(...parents);
  }
  return false;
}

/** A best common ancestor, undefined when the histories have nothing in common. */
export async function mergeBase(gitDir: string, a: string, b: string): Promise<string | undefined> {
  for (const [one, other] of [
    [a, b],
    [b, a],
  ] as const)
    if (one === other || (await isNearAncestor(gitDir, one, other))) return one;
  const args = ['merge-base', a, b];
  const result = await runGit(args, { gitDir });
  if (result.code > 1) throw gitError(args, result);
  return result.code === 0 ? result.stdout.toString().trim() : undefined;
}
