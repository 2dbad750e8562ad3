import { git } from '../../../lib/git/git.ts';
import { bringLfsObjects } from '../../../lib/git/lfs.ts';

/**
 * Copies a commit and all that it stands on from the git store into the person's repository, unless all of it is there; no ref, no
 * FETCH_HEAD, no configuration is written. The contents of its LFS files come along.
 */
export async function bringObjects({
  gitDir,
  mirror,
  commit,
}: {
  gitDir: string;
  mirror: string;
  commit: string;
}): Promise<void> {
  await git([...FETCH, mirror, commit], {
    gitDir,
    flavour: 'user',
    config: { 'protocol.file.allow': 'always', 'fetch.parallel': '1' },
  });
  await bringLfsObjects({ from: mirror, to: gitDir, commit });
}

const FETCH = [
  'fetch',
  '--quiet',
  '--no-write-fetch-head',
  '--no-tags',
  '--no-prune',
  '--no-auto-maintenance',
  '--no-recurse-submodules',
  '--no-show-forced-updates',
  // The store gives out any commit by its id, and is ours whoever owns its files.
  "--upload-pack=git -c uploadpack.allowAnySHA1InWant=true -c 'safe.directory=*' upload-pack",
];
