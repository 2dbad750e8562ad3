import { join } from 'node:path';
import { git, runGit } from '../../../lib/git/git.ts';
import { bringLfsObjects } from '../../../lib/git/lfs.ts';
import { receiveOwnPack } from '../../../lib/git/packs.ts';
import { makeScratchFolder } from '../../../lib/scratch-folder.ts';

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

/** A pack of what is new: two processes, where a fetch is seven. False where that was not to be had; a fetch then says why. */
async function bringAbove({ gitDir, mirror, commit, above }: Required<BringRequest>): Promise<boolean> {
  if (commit === above) return true;
  await using scratch = await makeScratchFolder(join(mirror, 'bring-'));
  const input = `${commit}\n^${above}\n`;
  const args = ['pack-objects', '--revs', '--quiet', '--non-empty', '--window=0', join(scratch.path, 'pack')];
  // The pack is read at once, and lost with the machine without harm.
  const packed = await runGit(args, { gitDir: mirror, input, config: { 'core.fsync': 'none' } });
  const name = packed.stdout.toString().trim();
  if (packed.code !== 0) return false;
  if (name === '') return true;
  try {
    await receiveOwnPack(gitDir, join(scratch.path, `pack-${name}.pack`));
  } catch {
    return false;
  }
  return true;
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
