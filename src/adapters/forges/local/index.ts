import type { CrashPoint } from '../../../lib/crash-point.ts';
import { changeRef, readRef } from '../../../lib/git/refs.ts';
import { runGit } from '../../../lib/git/git.ts';
import { inspectRepository } from '../../../lib/git/repository.ts';
import { SwitchyardError } from '../../../lib/error.ts';
import type { Forge } from '../../../ports/forge.ts';
import { bringObjects } from './bring-objects.ts';
import { moveBranch } from './move-branch.ts';

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
  let found: Promise<string> | undefined;
  const commonDir = () => (found ??= commonDirOf(repository));
  return {
    kind: 'local',
    branch: async (name) => readRef(await commonDir(), branchRef(name), 'user'),
    async publish({ branch, commit, expected }) {
      const gitDir = await commonDir();
      const ref = branchRef(branch);
      const actual = await readRef(gitDir, ref, 'user');
      if (actual === commit) return { kind: 'published' };
      if (actual !== expected) return { kind: 'moved', actual };
      await bringObjects({ gitDir, mirror, commit });
      if (await changeRef(gitDir, { ref, to: commit, from: expected ?? null }, { flavour: 'user' })) return { kind: 'published' };
      return { kind: 'moved', actual: await readRef(gitDir, ref, 'user') };
    },
    async unpublish({ branch, expected }) {
      const gitDir = await commonDir();
      const ref = branchRef(branch);
      if ((await readRef(gitDir, ref, 'user')) !== expected) return false;
      return changeRef(gitDir, { ref, to: null, from: expected }, { flavour: 'user' });
    },
    move: async (request) => moveBranch({ gitDir: await commonDir(), mirror, crashPoint }, request),
    async push(branch) {
      const gitDir = await commonDir();
      const remote = await runGit(['config', '--get', `branch.${branch}.remote`], { gitDir, flavour: 'user' });
      const to = remote.stdout.toString().trim() || 'origin';
      const pushed = await runGit(['push', '--quiet', to, `${branchRef(branch)}:${branchRef(branch)}`], { gitDir, flavour: 'user' });
      return pushed.code === 0 ? { kind: 'pushed' } : { kind: 'refused', message: pushed.stderr.trim().slice(-2000) };
    },
  };
}

const branchRef = (name: string) => `refs/heads/${name}`;

async function commonDirOf(repository: string): Promise<string> {
  const inspected = await inspectRepository(repository);
  if (inspected !== undefined) return inspected.commonDir;
  throw new SwitchyardError({
    code: 'repository/not-git',
    message: `${repository} is not in a git repository any more.`,
    hint: 'Put it back where it was; what the run has done is safe in SWITCHYARD_HOME.',
  });
}
