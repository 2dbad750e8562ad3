import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { lowPriority } from '../../lib/exec/low-priority.ts';
import { makeScratchFolder } from '../../lib/scratch-folder.ts';
import { checkOut } from '../check-out.ts';
import { formatOf, writeHarnessGit } from '../git-folders.ts';
import { restampIndex } from '../index-stat.ts';
import type { Head } from '../site.ts';
import { type Base, DRAFT, readBase, sourceName, writeRecord } from './records.ts';

export interface BuildSource {
  /** The repository's folder among the bases; it exists. */
  readonly folder: string;
  /** The path of the git store. */
  readonly store: string;
  readonly head: Head;
  /** Nobody waits for it: it makes room for others. */
  readonly quiet: boolean;
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/**
 * Writes the files of a commit once, with an index that holds for them wherever they are laid with numbers and times as they are. It
 * appears whole or not at all; dying in the middle leaves a draft. When somebody else has made it meanwhile, theirs is it.
 */
export async function buildSource({ folder, store, head, quiet, now, signal }: BuildSource): Promise<Base<'source'>> {
  const name = sourceName(head.commit);
  await using draft = await makeScratchFolder(join(folder, DRAFT));
  const [base, git] = [join(draft.path, 'base'), join(draft.path, 'git')];
  const files = join(base, 'files');
  await mkdir(files, { recursive: true });
  writeHarnessGit(git, store, formatOf(head.commit));
  const prefix = quiet ? await lowPriority() : [];
  await checkOut({ gitDir: git, folder: files, commit: head.commit, signal, prefix });
  const index = join(base, 'index');
  await rename(join(git, 'index'), index);
  const sum = await restampIndex({ index, tree: files });
  const record = { version: 1, kind: 'source', ...head, ...sum, madeAt: now() } as const;
  await writeRecord(base, record);
  signal.throwIfAborted();
  return (await publish(base, folder, name)) as Base<'source'>;
}

/** Gives a base its name. One that is there already stays. */
export async function publish(draft: string, folder: string, name: string): Promise<Base> {
  try {
    await rename(draft, join(folder, name));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
    await rm(draft, { recursive: true, force: true });
  }
  const base = await readBase(folder, name);
  if (base === undefined) throw new Error(`${join(folder, name)} is not a base`);
  return base;
}
