import { git, runGit } from '../../../lib/git/git.ts';

/** Copies a commit and what it stands on from the git store into the person's repository; no ref, no FETCH_HEAD is written there. */
export async function bringObjects({ gitDir, mirror, commit }: { gitDir: string; mirror: string; commit: string }): Promise<void> {
  const there = await runGit(['cat-file', '-e', `${commit}^{commit}`], { gitDir, flavour: 'user' });
  if (there.code === 0) return;
  const quietly = ['--quiet', '--no-write-fetch-head', '--no-tags', '--no-auto-maintenance', '--no-recurse-submodules', '--no-show-forced-updates'];
  // Version 2 of the protocol gives out any commit by its id.
  await git(['fetch', ...quietly, mirror, commit], { gitDir, flavour: 'user', config: { 'protocol.version': '2', 'protocol.file.allow': 'always', 'safe.directory': '*' } });
}
