import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { git, runGit } from '../lib/git/git.ts';
import { changeRefs, listRefs } from '../lib/git/refs.ts';
import { createBareRepository } from './create-bare-repository.ts';

/** A whole git store as one file, a git bundle: every ref, and commits that only the database names. */

export interface Bundled {
  readonly refs: number;
  /** Named commits that the store does not have, or no longer. */
  readonly missing: readonly string[];
}

/** Writes the bundle; undefined, and nothing is written, when there is not a single ref. */
export async function writeBundle(
  store: string,
  { file, commits, signal }: { file: string; commits: readonly string[]; signal: AbortSignal },
): Promise<Bundled | undefined> {
  const there = await presentCommits(store, commits);
  return withHeld(store, there, async () => {
    const refs = await listRefs(store, 'refs/');
    if (refs.length === 0) return undefined;
    await git(['bundle', 'create', '--quiet', file, '--all'], { gitDir: store, signal });
    const known = new Set(there);
    return { refs: refs.length, missing: commits.filter((commit) => !known.has(commit)) };
  });
}

/** Holds commits that no ref reaches by refs of their own, for as long as the work goes on with all refs. */
export async function withHeld<T>(store: string, commits: readonly string[], work: () => Promise<T>): Promise<T> {
  const name = randomBytes(6).toString('hex');
  const held = (await unreachable(store, commits)).map((commit) => ({
    ref: `refs/switchyard/held/${name}/${commit}`,
    to: commit,
  }));
  await changeRefs(store, held);
  try {
    return await work();
  } finally {
    await changeRefs(
      store,
      held.map(({ ref }) => ({ ref, to: null })),
    );
  }
}

/** Reads a bundle back into a new repository beside it, and says which of the commits are not in it. */
export async function verifyBundle(
  file: string,
  { commits, folder, signal }: { commits: readonly string[]; folder: string; signal: AbortSignal },
): Promise<string[]> {
  const scratch = await mkdtemp(join(folder, 'verify-'));
  try {
    const store = join(scratch, 'store.git');
    await restoreBundle(file, { store, signal });
    const known = new Set(await presentCommits(store, commits));
    return commits.filter((commit) => !known.has(commit));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Makes a git store of a bundle, with every ref as it was. */
export async function restoreBundle(
  file: string,
  { store, signal }: { store: string; signal: AbortSignal },
): Promise<void> {
  await createBareRepository(store, 'sha1');
  await git(['fetch', '--quiet', '--no-write-fetch-head', '--no-auto-maintenance', file, '+refs/*:refs/*'], {
    gitDir: store,
    signal,
    config: { 'transfer.fsckObjects': 'false' },
  });
}

/** Those of the commits that the repository has. */
export async function presentCommits(store: string, commits: readonly string[]): Promise<string[]> {
  if (commits.length === 0) return [];
  const input = `${commits.join('\n')}\n`;
  const output = await git(['cat-file', '--batch-check=%(objectname) %(objecttype)'], { gitDir: store, input });
  return output
    .toString()
    .split('\n')
    .filter((line) => line.endsWith(' commit'))
    .map((line) => line.slice(0, line.indexOf(' ')));
}

/** Those of the commits that no ref reaches. */
async function unreachable(store: string, commits: readonly string[]): Promise<string[]> {
  if (commits.length === 0) return [];
  const { stdout } = await runGit(['rev-list', '--stdin', '--not', '--all'], {
    gitDir: store,
    input: `${commits.join('\n')}\n`,
  });
  const loose = new Set(stdout.toString().split('\n'));
  return commits.filter((commit) => loose.has(commit));
}
