import { copyFile, mkdtemp, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { type GitOptions, runGit } from '../../../lib/git/git.ts';
import type { Checkout } from './checkouts.ts';
import { isAbsent, rawStates, textOf } from './raw-states.ts';
import { untrackedInTheWay } from './untracked-in-the-way.ts';

/** From one commit to another. */
export interface Step {
  readonly from: string;
  readonly to: string;
}

/**
 * - `free`: nothing is lost when index and files go. `same` (one character per byte) are files that are already as they are to become
 *   without the index knowing it.
 * - `gone`: the index has gone already; whatever differs now was changed afterwards.
 * - `blocked`: these files differ both from what they were and from what they are to become.
 */
export type Way =
  | { readonly kind: 'free'; readonly same: readonly string[] }
  | { readonly kind: 'gone' }
  | { readonly kind: 'blocked'; readonly files: readonly string[] };

export interface LookAhead extends Step {
  /** The branch has moved already, and the checkout may have. */
  readonly moved: boolean;
  /** A folder to write in. */
  readonly mirror: string;
}

/** Whether a checkout can go from one commit to the other. Judges on a copy of the index; nothing of the person's is written. */
export async function lookAhead(checkout: Checkout, ahead: LookAhead): Promise<Way> {
  if (checkout.busy.length > 0) return { kind: 'blocked', files: checkout.busy };
  const scratch = await mkdtemp(join(ahead.mirror, 'look-ahead-'));
  try {
    const copy = join(scratch, 'index');
    await copyIndex(join(checkout.gitDir, 'index'), copy);
    return await judge(checkout, ahead, within(checkout, { GIT_INDEX_FILE: copy }));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
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

async function judge({ folder }: Checkout, { from, to, moved }: LookAhead, options: GitOptions): Promise<Way> {
  await runGit(REFRESH, options);
  const [touched, staged, unstaged] = await Promise.all([
    rawStates(['diff-tree', '-r', from, to], options),
    rawStates(['diff-index', '--cached', from], options),
    rawStates(['diff-files'], options),
  ]);
  const paths = [...touched.keys()];
  if (moved && paths.every((path) => staged.has(path))) return { kind: 'gone' };
  const stagedOtherwise = paths.filter(
    (path) => staged.has(path) && staged.get(path)?.after !== touched.get(path)?.after,
  );
  const added = [...touched]
    .filter(([path, { before }]) => isAbsent(before) && !staged.has(path))
    .map(([path]) => path);
  const untracked = await untrackedInTheWay(folder, { added, touched }, options);
  const changed = [...paths.filter((path) => unstaged.has(path)), ...untracked.files];
  const blocking = [...stagedOtherwise, ...untracked.others, ...(await notAsIn(to, changed, options))];
  if (blocking.length > 0) return { kind: 'blocked', files: [...new Set(blocking)].map((path) => textOf(path)).sort() };
  // The last word is git's own.
  const tried = await runGit(['read-tree', '-n', '-m', '-u', from, to], options);
  if (tried.code === 0) return { kind: 'free', same: changed };
  return { kind: 'blocked', files: [tried.stderr.trim().split('\n')[0] ?? 'index'] };
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
