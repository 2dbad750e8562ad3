import { stat } from 'node:fs/promises';
import { changedPaths } from '../../../lib/git/diff.ts';
import { git, gitLine, runGit, splitNul } from '../../../lib/git/git.ts';
import { listWorktrees } from '../../../lib/git/repository.ts';

interface Move {
  readonly from: string;
  readonly to: string;
}

/** The folders in which the branch is checked out. */
export async function checkoutsOf(gitDir: string, branch: string): Promise<string[]> {
  const worktrees = await listWorktrees(gitDir);
  const found: string[] = [];
  for (const { path, branch: at, bare } of worktrees) {
    if (!bare && at === branch && (await stat(path).catch(() => undefined)) !== undefined) found.push(path);
  }
  return found;
}

/** What would be lost if the checkout went along: changed or untracked files at the paths that differ. Empty when it can go. */
export async function filesInTheWay(checkout: string, { from, to }: Move): Promise<string[]> {
  await runGit(['-C', checkout, 'update-index', '-q', '--refresh'], { flavour: 'user' });
  const tried = await runGit(['-C', checkout, 'read-tree', '-n', '-m', '-u', from, to], { flavour: 'user' });
  if (tried.code === 0) return [];
  const gitDir = await gitLine(['-C', checkout, 'rev-parse', '--absolute-git-dir'], { flavour: 'user' });
  const touched = await changedPaths(gitDir, from, to);
  const dirty = await dirtyPaths(checkout);
  const blocking = dirty.filter((path) => touched.some((other) => other === path || other.startsWith(`${path.replace(/\/$/, '')}/`) || path.startsWith(`${other}/`)));
  return blocking.length > 0 ? blocking : [tried.stderr.trim().split('\n')[0] ?? 'the index'];
}

/** Moves index and files; false when something got in the way. What the two commits agree on is left as it is. */
export async function moveCheckout(checkout: string, { from, to }: Move): Promise<boolean> {
  return (await runGit(['-C', checkout, 'read-tree', '-m', '-u', from, to], { flavour: 'user' })).code === 0;
}

/** Changed, untracked and ignored paths; a folder of which nothing is tracked ends with `/`. */
async function dirtyPaths(checkout: string): Promise<string[]> {
  const args = ['status', '--porcelain=v1', '-z', '--untracked-files=all', '--ignored=traditional', '--no-renames'];
  return splitNul(await git(['-C', checkout, ...args], { flavour: 'user' })).map((entry) => entry.slice(3));
}
