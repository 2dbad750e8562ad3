import { git } from '../../../lib/git/git.ts';
import { bringLfsObjects } from '../../../lib/git/lfs.ts';
import { copyObjects } from '../../../lib/git/packs.ts';

export interface BringRequest {
  /** Of the person's repository. */
  readonly gitDir: string;
  /** The git store. */
  readonly mirror: string;
  readonly commit: string;
  /** A commit that both have with its history: only what is not in that is copied. Without it, git finds out what is missing. */
  readonly above?: string;
}

/**
 * Copies a commit and all that it stands on from the git store into the person's repository, unless all of it is there; no ref, no
 * FETCH_HEAD, no configuration is written. The contents of its LFS files come along.
 */
export async function bringObjects({ gitDir, mirror, commit, above }: BringRequest): Promise<void> {
  if (above === undefined || !(await bringAbove({ gitDir, mirror, commit, above }))) {
    await git([...FETCH, mirror, commit], {
      gitDir,
      flavour: 'user',
      config: { 'protocol.file.allow': 'always', 'fetch.parallel': '1' },
    });
  }
  await bringLfsObjects({ from: mirror, to: gitDir, commit });
}

/** Two processes, where a fetch is seven. False where that was not to be had; a fetch then says why. */
async function bringAbove({ gitDir, mirror, commit, above }: Required<BringRequest>): Promise<boolean> {
  const wanted = [commit, `^${above}`];
  return copyObjects({ wanted, from: { gitDir: mirror }, to: { gitDir, flavour: 'user' }, folder: mirror }).then(
    () => true,
    () => false,
  );
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
