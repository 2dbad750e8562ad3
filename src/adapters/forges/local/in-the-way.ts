import { copyFile, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { type GitOptions, git, gitLine, runGit } from '../../../lib/git/git.ts';
import { makeScratchFolder } from '../../../lib/scratch-folder.ts';
import type { InTheWay } from '../../../ports/forge.ts';
import type { Checkout } from './checkouts.ts';
import { isAbsent, type RawState, rawStates, textOf } from './raw-states.ts';
import { untrackedInTheWay } from './untracked-in-the-way.ts';

/** From one commit to another. */
export interface Step {
  readonly from: string;
  readonly to: string;
}

/**
 * - `free`: nothing is lost when index and files go. `same` (one character per byte) are files that are already as they are to become, or
 *   as they are kept elsewhere, without the index knowing it; `from` is the tree that the index then holds.
 * - `gone`: the index has gone already; whatever differs now was changed afterwards.
 * - `blocked`: these files differ both from what they were and from what they are to become, in the work tree or in the index.
 */
export type Way =
  | { readonly kind: 'free'; readonly same: readonly string[]; readonly from: string }
  | { readonly kind: 'gone' }
  | ({ readonly kind: 'blocked' } & InTheWay);

export interface LookAhead extends Step {
  /** The branch has moved already, and the checkout may have. */
  readonly moved: boolean;
  /** A folder to write in. */
  readonly mirror: string;
  /** A commit: files that are as in it are kept there, and not lost when they go. */
  readonly kept?: string | undefined;
}

/** Whether a checkout can go from one commit to the other. Judges on a copy of the index; nothing of the person's is written. */
export async function lookAhead(checkout: Checkout, ahead: LookAhead): Promise<Way> {
  if (checkout.busy.length > 0) return { kind: 'blocked', files: checkout.busy, advice: checkout.advice };
  await using scratch = await makeScratchFolder(join(ahead.mirror, 'look-ahead-'));
  const copy = join(scratch.path, 'index');
  await copyIndex(join(checkout.gitDir, 'index'), copy);
  const second = within(checkout, { GIT_INDEX_FILE: join(scratch.path, 'other') });
  return await judge(checkout, ahead, { options: within(checkout, { GIT_INDEX_FILE: copy }), second });
}

/**
 * The copy is as old as the original: git reads again what was written since, and believes the index about the rest. Without
 * an index nothing is tracked, and every file is in the way of its own.
 */
async function copyIndex(index: string, copy: string): Promise<void> {
  const found = await stat(index).catch(() => undefined);
  if (found === undefined) return;
  await copyFile(index, copy);
  const second = Math.floor(found.mtimeMs / 1000);
  await utimes(copy, second, second);
}

/** Takes index and files along; what the two commits agree on is left as it is. False when something got in the way. */
export async function go(checkout: Checkout, { from, to }: Step, same: readonly string[]): Promise<boolean> {
  const options = within(checkout);
  await runGit(REFRESH, options);
  if (same.length > 0) await takeIn(same, options);
  return (await runGit(['read-tree', '-m', '-u', from, to], options)).code === 0;
}

interface Indexes {
  /** With the copy of the checkout's index. */
  readonly options: GitOptions;
  /** With one for passing use. */
  readonly second: GitOptions;
}

async function judge(
  { folder }: Checkout,
  { from, to, moved, kept }: LookAhead,
  { options, second }: Indexes,
): Promise<Way> {
  await runGit(REFRESH, options);
  const [touched, staged, unstaged, keeping] = await Promise.all([
    rawStates(['diff-tree', '-r', from, to], options),
    rawStates(['diff-index', '--cached', from], options),
    rawStates(['diff-files'], options),
    kept === undefined ? NOTHING : rawStates(['diff-tree', '-r', from, kept], options),
  ]);
  const paths = [...touched.keys()];
  const stagedAsKept = paths.filter(
    (path) =>
      staged.has(path) &&
      staged.get(path)?.after === keeping.get(path)?.after &&
      staged.get(path)?.after !== touched.get(path)?.after,
  );
  if (moved && stagedAsKept.length === 0 && paths.every((path) => staged.has(path))) return { kind: 'gone' };
  const stagedOtherwise = paths.filter(
    (path) => staged.has(path) && staged.get(path)?.after !== touched.get(path)?.after && !stagedAsKept.includes(path),
  );
  const added = [...touched]
    .filter(([path, { before }]) => isAbsent(before) && !staged.has(path))
    .map(([path]) => path);
  const untracked = await untrackedInTheWay(folder, { added, touched }, options);
  const changed = [...paths.filter((path) => unstaged.has(path)), ...untracked.files];
  const otherwise = await notAsIn(to, changed, options);
  const unknown = kept === undefined ? otherwise : await notAsIn(kept, otherwise, options);
  const blocking = [...new Set([...stagedOtherwise, ...untracked.others, ...unknown])];
  if (blocking.length > 0) {
    const onlyStaged = stagedOtherwise.filter((path) => unstaged.has(path) && !otherwise.includes(path));
    return { kind: 'blocked', files: asText(blocking), advice: stagedAdvice(blocking, onlyStaged) };
  }
  const asKept = [...new Set([...stagedAsKept, ...otherwise])];
  const begin = asKept.length === 0 ? from : await treeWith(from, asKept, { options, second });
  // The last word is git's own.
  const tried = await runGit(['read-tree', '-n', '-m', '-u', begin, to], options);
  if (tried.code === 0) return { kind: 'free', same: [...new Set([...changed, ...asKept])], from: begin };
  return { kind: 'blocked', files: [tried.stderr.trim().split('\n')[0] ?? 'index'] };
}

/** Files that are as they are to become, but are staged with another content: to commit or move those would not help. */
function stagedAdvice(blocking: readonly string[], onlyStaged: readonly string[]): string | undefined {
  if (onlyStaged.length === 0) return undefined;
  const others = blocking.filter((path) => !onlyStaged.includes(path));
  const first =
    others.length === 0
      ? ''
      : `these files are in the way: ${asText(others).join(', ')} (commit or move them); besides, `;
  const [is, them, they] = onlyStaged.length === 1 ? ['is', 'it', 'it is'] : ['are', 'them', 'they are'];
  const names = asText(onlyStaged).join(', ');
  return `${first}${names} ${is} staged with another content than in the work tree, where ${they} as ${they} to become: \`git add\` ${them} (which gives up what is staged), or commit`;
}

const asText = (paths: readonly string[]): string[] => paths.map((path) => textOf(path)).sort();

const NOTHING: ReadonlyMap<string, RawState> = new Map();

/** The tree of the commit, with what the index holds at these paths. */
async function treeWith(commit: string, paths: readonly string[], { options, second }: Indexes): Promise<string> {
  const wanted = new Set(paths);
  const listed = (await git(['ls-files', '--stage', '-z'], options)).toString('latin1').split('\0');
  const there = listed.filter((line) => wanted.has(line.slice(line.indexOf('\t') + 1)));
  const names = new Set(there.map((line) => line.slice(line.indexOf('\t') + 1)));
  const gone = paths.filter((path) => !names.has(path)).map((path) => `0 ${'0'.repeat(40)}\t${path}`);
  await git(['read-tree', commit], second);
  const input = Buffer.from([...gone, ...there].map((line) => `${line}\0`).join(''), 'latin1');
  await git(['update-index', '-z', '--index-info'], { ...second, input });
  return gitLine(['write-tree'], second);
}

/** Those of the paths whose files are not as in the commit; the index then holds the files. */
async function notAsIn(commit: string, paths: readonly string[], options: GitOptions): Promise<string[]> {
  if (paths.length === 0) return [];
  // A file that cannot be taken in (it lies behind a link, it became a folder) is not as in the commit.
  if (!(await takeIn(paths, options))) return [...paths];
  const differing = await rawStates(['diff-index', '--cached', commit], options);
  return paths.filter((path) => differing.has(path));
}

/** Makes the index hold the files at these paths; false when that cannot be. */
async function takeIn(paths: readonly string[], options: GitOptions): Promise<boolean> {
  const input = Buffer.from(paths.map((path) => `${path}\0`).join(''), 'latin1');
  return (await runGit(['update-index', '-z', '--add', '--remove', '--stdin'], { ...options, input })).code === 0;
}

const REFRESH = ['update-index', '-q', '--refresh'];

function within({ folder }: Checkout, env: Readonly<Record<string, string>> = {}): GitOptions {
  return { cwd: folder, flavour: 'user', env, config: { 'core.splitIndex': 'false' } };
}
