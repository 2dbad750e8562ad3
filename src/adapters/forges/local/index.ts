import type { CrashPoint } from '../../../lib/crash-point.ts';
import { SwitchyardError } from '../../../lib/error.ts';
import { isAncestor } from '../../../lib/git/commits.ts';
import { changeRef, readRef } from '../../../lib/git/refs.ts';
import { inspectRepository } from '../../../lib/git/repository.ts';
import type { Forge, MoveResult, PublishResult } from '../../../ports/forge.ts';
import { bringObjects } from './bring-objects.ts';
import { checkoutsOf } from './checkouts.ts';
import { moveBranch, type Repository } from './move-branch.ts';
import { addWorktree, switchTo } from './person-checkouts.ts';
import { pushBranch } from './push-branch.ts';

export interface LocalForgeOptions {
  /** Any path in the person's repository, which may be bare. */
  readonly repository: string;
  /** The git store that has the objects (`GitStore.path`). */
  readonly mirror: string;
  readonly crashPoint: CrashPoint;
}

/**
 * The person's own repository as a forge: branches in it, merges by moving its branches and checkouts. Their hooks never run, their
 * configuration is never written.
 */
export function createLocalForge({ repository, mirror, crashPoint }: LocalForgeOptions): Forge {
  let gitDir: string | undefined;
  const open = async (): Promise<Repository> => ({
    gitDir: (gitDir ??= await commonDirOf(repository)),
    mirror,
    crashPoint,
  });
  return {
    kind: 'local',
    branch: async (name) => readRef((await open()).gitDir, branchRef(name), 'user'),
    publish: async (request) => publish(await open(), request),
    unpublish: async (request) => unpublish(await open(), request),
    move: async (request) => move(await open(), request),
    push: async (branch) => pushBranch((await open()).gitDir, branch),
    checkouts: {
      switchTo: async (request) => switchTo(await open(), request),
      add: async (request) => addWorktree(await open(), request),
    },
  };
}

/** A branch that someone has checked out takes the checkout along, or does not move: `forge/branch-checked-out`. */
async function publish(
  repository: Repository,
  { branch, commit, expected }: Parameters<Forge['publish']>[0],
): Promise<PublishResult> {
  const { gitDir, mirror } = repository;
  const ref = branchRef(branch);
  const actual = await readRef(gitDir, ref, 'user');
  if (actual === commit && expected === undefined) return { kind: 'published' };
  if (actual !== commit && actual !== expected) return { kind: 'moved', actual };
  const bring = () => bringObjects({ gitDir, mirror, commit });
  if (expected === undefined) {
    await bring();
    const made = await changeRef(gitDir, { ref, to: commit, from: null }, { flavour: 'user', message: MESSAGE });
    return made ? { kind: 'published' } : { kind: 'moved', actual: await readRef(gitDir, ref, 'user') };
  }
  const quiet = { ...repository, crashPoint: () => Promise.resolve() };
  const moved = await moveBranch(quiet, { branch, from: expected, to: commit, message: MESSAGE, bring });
  switch (moved.kind) {
    case 'moved':
      return { kind: 'published' };
    case 'elsewhere':
      return { kind: 'moved', actual: moved.actual };
    case 'blocked':
      throw new SwitchyardError({
        code: 'forge/branch-checked-out',
        message: `${branch} is checked out in ${moved.checkout}${moved.advice === undefined ? ` with changes in the way: ${moved.files.join(', ')}` : `, where ${moved.advice}`}.`,
        hint:
          moved.advice === undefined
            ? 'Commit or stash them there, or check out another branch, then retry.'
            : 'Then retry.',
      });
  }
}

async function unpublish(
  { gitDir }: Repository,
  { branch, expected }: Parameters<Forge['unpublish']>[0],
): Promise<boolean> {
  const ref = branchRef(branch);
  if ((await readRef(gitDir, ref, 'user')) !== expected) return false;
  if ((await checkoutsOf(gitDir, branch)).length > 0) return false;
  return changeRef(gitDir, { ref, to: null, from: expected }, { flavour: 'user' });
}

async function move(
  repository: Repository,
  { branch, from, to, kept }: Parameters<Forge['move']>[0],
): Promise<MoveResult> {
  const { gitDir, mirror } = repository;
  if (!(await isAncestor(mirror, from, to))) {
    throw new SwitchyardError({
      code: 'merge/not-a-descendant',
      message: `${to} does not stand on ${from}.`,
      hint: 'This is a fault of Switchyard: please report it.',
    });
  }
  const message = `switchyard: merge ${to.slice(0, 12)}`;
  const bring = async (at: string | undefined) => {
    // Where the branch has gone elsewhere, nothing is known of what is there.
    const above = at === from || at === to ? { above: from } : {};
    await bringObjects({ gitDir, mirror, commit: to, ...above });
    if (kept !== undefined) await bringObjects({ gitDir, mirror, commit: kept });
  };
  const moved = await moveBranch(repository, { branch, from, to, message, kept, bring });
  switch (moved.kind) {
    case 'moved':
      return { kind: 'moved' };
    case 'blocked':
      return { ...moved, kind: 'checkout-dirty' };
    case 'elsewhere': {
      // Merged already, and work has gone on since.
      const beyond = moved.actual !== undefined && (await isAncestor(gitDir, to, moved.actual));
      return beyond ? { kind: 'moved' } : { kind: 'target-moved', actual: moved.actual };
    }
  }
}

const MESSAGE = 'switchyard: publish';

const branchRef = (name: string): string => `refs/heads/${name}`;

async function commonDirOf(repository: string): Promise<string> {
  const inspected = await inspectRepository(repository);
  if (inspected !== undefined) return inspected.commonDir;
  throw new SwitchyardError({
    code: 'repository/not-git',
    message: `${repository} is not in a git repository any more.`,
    hint: 'Put it back where it was; what the run has done is safe in SWITCHYARD_HOME.',
  });
}
