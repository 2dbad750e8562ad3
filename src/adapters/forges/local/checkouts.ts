import { lstat, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { gitLine } from '../../../lib/git/git.ts';
import { listWorktrees } from '../../../lib/git/repository.ts';

/** A worktree of the person's repository that a branch concerns. */
export interface Checkout {
  readonly folder: string;
  /** Its own git directory. */
  readonly gitDir: string;
  /** Signs of something that is going on in it, as paths to show; while there are any, it is left alone. */
  readonly busy: readonly string[];
  /** Where it is busy: with what, and how that is brought to its end, as half a sentence. */
  readonly advice?: string | undefined;
}

/** Worktrees in which the branch is checked out, or is being rebased or bisected. Those whose folder is gone do not count. */
export async function checkoutsOf(commonDir: string, branch: string): Promise<Checkout[]> {
  const found: Checkout[] = [];
  for (const worktree of await listWorktrees(commonDir)) {
    const folder = worktree.path;
    const onIt = worktree.branch === branch;
    const elsewhere = worktree.branch !== undefined && !onIt;
    if (worktree.bare || elsewhere || (await lstat(folder).catch(() => undefined)) === undefined) continue;
    const gitDir = await gitLine(['-C', folder, 'rev-parse', '--absolute-git-dir'], { flavour: 'user' });
    const busy = onIt ? await present(gitDir, STATES) : await heldBy(gitDir, branch);
    if (onIt || busy.length > 0) found.push({ folder, gitDir, ...signs({ folder, gitDir }, busy) });
  }
  return found;
}

/** The checkout at the top folder of a worktree, whatever it stands on. */
export async function checkoutAt(folder: string): Promise<Checkout> {
  const gitDir = await gitLine(['-C', folder, 'rev-parse', '--absolute-git-dir'], { flavour: 'user' });
  const busy = await present(gitDir, STATES);
  return { folder, gitDir, ...signs({ folder, gitDir }, busy) };
}

function signs(
  { folder, gitDir }: Pick<Checkout, 'folder' | 'gitDir'>,
  names: readonly string[],
): Pick<Checkout, 'busy' | 'advice'> {
  const paths = names.map((name) => shown(folder, join(gitDir, name)));
  const lock = names.indexOf('index.lock');
  if (lock >= 0) {
    const ended = `wait for its end (if there is none, one has left ${paths[lock]} behind: remove it)`;
    return { busy: paths, advice: `another git program is at work: ${ended}` };
  }
  return { busy: paths, advice: GOING_ON.find(([sign]) => names.some((name) => name.startsWith(sign)))?.[1] };
}

/** What git leaves in the git directory while an operation waits to be continued. */
const STATES = ['index.lock', 'MERGE_HEAD', 'CHERRY_PICK_HEAD', 'REVERT_HEAD', 'rebase-merge', 'rebase-apply'];

/** Where git notes the branch that it will come back to, while HEAD is elsewhere. */
const NOTED = ['rebase-merge/head-name', 'rebase-apply/head-name', 'BISECT_START'];

/** What goes on where git has left this; what holds others within it comes first. */
const GOING_ON: readonly (readonly [sign: string, advice: string])[] = [
  ['rebase-merge', 'a rebase is in progress: finish it (`git rebase --continue`) or abort it (`git rebase --abort`)'],
  [
    'rebase-apply',
    'a rebase or `git am` is in progress: finish it or abort it (`git rebase --abort`, `git am --abort`)',
  ],
  ['MERGE_HEAD', 'a merge is in progress: finish it (`git commit`) or abort it (`git merge --abort`)'],
  [
    'CHERRY_PICK_HEAD',
    'a cherry-pick is in progress: finish it (`git cherry-pick --continue`) or abort it (`git cherry-pick --abort`)',
  ],
  ['REVERT_HEAD', 'a revert is in progress: finish it (`git revert --continue`) or abort it (`git revert --abort`)'],
  ['BISECT_START', 'a bisect is in progress: end it (`git bisect reset`)'],
];

async function present(gitDir: string, names: readonly string[]): Promise<string[]> {
  const stats = await Promise.all(names.map((name) => lstat(join(gitDir, name)).catch(() => undefined)));
  return names.filter((_, n) => stats[n] !== undefined);
}

async function heldBy(gitDir: string, branch: string): Promise<string[]> {
  const texts = await Promise.all(NOTED.map((name) => readFile(join(gitDir, name), 'utf8').catch(() => '')));
  return NOTED.filter((_, n) => [branch, `refs/heads/${branch}`].includes(texts[n]?.trim() ?? ''));
}

/** Relative where it lies within the checkout. */
function shown(folder: string, path: string): string {
  const within = relative(folder, path);
  return within.startsWith('..') ? path : within;
}
