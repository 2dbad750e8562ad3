import { isEnded } from '../domain/run.ts';
import { runGit } from '../lib/git/git.ts';
import type { RunRow } from '../store/rows.ts';

/**
 * Why a run's work would be lost with its git store, in words; undefined when it is proven to lie in the person's repository (on whatever
 * branch), or when there is none.
 */
export async function whatWouldBeLost(run: RunRow, repository: string | undefined): Promise<string | undefined> {
  if (!isEnded(run.state.kind)) return `it is ${run.state.kind}`;
  if (run.head === run.base_commit) return undefined;
  const wanted = run.merged?.commit ?? run.head;
  if (repository === undefined) return 'its repository is not there to compare with';
  const { code, stdout } = await runGit(
    ['for-each-ref', '--count=1', '--contains', wanted, 'refs/heads/', 'refs/remotes/'],
    {
      gitDir: repository,
      flavour: 'user',
    },
  );
  return code === 0 && stdout.length > 0 ? undefined : `${wanted.slice(0, 12)} is on no branch of the repository`;
}
