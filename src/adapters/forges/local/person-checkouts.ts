import { lstat, readdir } from 'node:fs/promises';
import { SwitchyardError } from '../../../lib/error.ts';
import { git } from '../../../lib/git/git.ts';
import { resolveCommit } from '../../../lib/git/refs.ts';
import { listWorktrees } from '../../../lib/git/repository.ts';
import type { SwitchResult } from '../../../ports/forge.ts';
import { checkoutAt } from './checkouts.ts';
import { go, lookAhead } from './in-the-way.ts';
import type { Repository } from './move-branch.ts';

/** The tree without a file, which git knows everywhere: what a checkout before its first commit stands on. */
const NOTHING = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';

export interface Switch {
  readonly folder: string;
  readonly branch: string;
}

/**
 * First it is made sure that nothing is in the way, then index and files go, HEAD last: whoever dies in between leaves changes that are
 * staged exactly as on the branch, which a second call finds to be so.
 */
export async function switchTo({ gitDir, mirror }: Repository, { folder, branch }: Switch): Promise<SwitchResult> {
  const other = await holderOf(gitDir, branch);
  if (other === folder) return { kind: 'switched' };
  if (other !== undefined) return { kind: 'elsewhere', folder: other };
  const checkout = await checkoutAt(folder);
  const from = (await resolveCommit(checkout.gitDir, 'HEAD', 'user')) ?? NOTHING;
  const to = await resolveCommit(gitDir, `refs/heads/${branch}`, 'user');
  if (to === undefined) throw noBranch(branch);
  const way = await lookAhead(checkout, { from, to, mirror, moved: false });
  if (way.kind === 'blocked') return { ...way, kind: 'in-the-way' };
  if (!(await go(checkout, { from, to }, way.kind === 'free' ? way.same : [])))
    return { kind: 'in-the-way', files: ['index'] };
  const head = ['symbolic-ref', '-m', `switchyard: checkout ${branch}`, 'HEAD', `refs/heads/${branch}`];
  await git(head, { gitDir: checkout.gitDir, flavour: 'user' });
  return { kind: 'switched' };
}

export async function addWorktree({ gitDir }: Repository, { folder, branch }: Switch): Promise<SwitchResult> {
  const other = await holderOf(gitDir, branch);
  if (other === folder) return { kind: 'switched' };
  if (other !== undefined) return { kind: 'elsewhere', folder: other };
  if (await isTaken(folder)) return { kind: 'in-the-way', files: [folder] };
  await git(['worktree', 'add', '--quiet', folder, branch], { gitDir, flavour: 'user' });
  return { kind: 'switched' };
}

/** The worktree that has the branch checked out, if its folder is there. */
async function holderOf(gitDir: string, branch: string): Promise<string | undefined> {
  for (const { path, branch: own } of await listWorktrees(gitDir)) {
    if (own === branch && (await lstat(path).catch(() => undefined)) !== undefined) return path;
  }
  return undefined;
}

async function isTaken(folder: string): Promise<boolean> {
  const found = await lstat(folder).catch(() => undefined);
  if (found === undefined) return false;
  return !found.isDirectory() || (await readdir(folder)).length > 0;
}

function noBranch(branch: string): SwitchyardError {
  return new SwitchyardError({
    code: 'checkout/no-branch',
    message: `There is no branch ${branch} in the repository any more.`,
    hint: 'Somebody has deleted it a moment ago: try again.',
  });
}
