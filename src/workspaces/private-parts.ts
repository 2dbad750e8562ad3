import { constants } from 'node:fs';
import { type FileHandle, lstat, open, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { messageOf, SwitchyardError } from '../lib/error.ts';
import { git } from '../lib/git/git.ts';
import { runScriptOrThrow } from './sandboxed.ts';
import { sealPack, unsealPack } from './sealed-packs.ts';
import type { Site } from './site.ts';
import { packOf, type SavedPart, UNSAVE } from './tree-scripts.ts';

/**
 * What checkpoints hold of the files that are a run's own business: carried ones, and agents' sessions. In the walls of every
 * run's git lie the objects of the whole store, so these lie there only encrypted. A checkpoint's tree has them at `NAME.TREE`, which tells whether they are
 * the same as in another one.
 */

export type PartName = SavedPart['name'];

/** A part as a snapshot found it. */
export interface FoundPart {
  readonly tree: string;
  /** The name of the pack that was made of it; undefined where its tree was known. */
  readonly pack: string | undefined;
}

/** The name of a part in a checkpoint's tree. */
export const entryOf = (name: PartName, tree: string): string => `${name}.${tree}`;

/** Puts a part that a snapshot found into the store, encrypted; returns the tree that a checkpoint names. */
export async function sealPart({ layout, store }: Site, name: PartName, { tree, pack }: FoundPart): Promise<string> {
  if (pack === undefined || !OBJECT_NAME.test(pack) || !OBJECT_NAME.test(tree)) throw notWritten(name);
  await using file = await openBelow(layout.root, join('git', packOf(name, pack)));
  return await sealPack(file, { store: store.path, of: tree });
}

const OBJECT_NAME = /^([0-9a-f]{40}|[0-9a-f]{64})$/;

/** Parts as the entries of a checkpoint's tree; a name without a tree is one that was kept before they were encrypted. */
export interface KeptPart {
  readonly name: PartName;
  /** Undefined: it is `id` itself, in the clear. */
  readonly tree: string | undefined;
  readonly id: string;
}

export function keptParts(entries: ReadonlyMap<string, string>): KeptPart[] {
  return [...entries].flatMap(([entry, id]) => {
    const [name, tree] = entry.split('.', 2);
    return name === 'carry' || name === 'homes' ? [{ name, tree, id }] : [];
  });
}

/** Puts a part in its place, over what is there. Where it cannot be decrypted, nothing changes, and `onLost` is told why. */
export async function restorePart(
  site: Site,
  { name, tree, id }: KeptPart,
  { folder, onLost }: { folder: string; onLost: (why: string) => void },
): Promise<void> {
  const { layout, store } = site;
  const incoming = join(layout.git, 'incoming.pack');
  await rm(incoming, { recursive: true, force: true });
  try {
    await using file = await open(incoming, 'wx', 0o600);
    try {
      const pieces =
        tree === undefined ? packInTheClear(store.path, id) : unsealPack(id, { store: store.path, of: tree });
      for await (const piece of pieces) await file.writeFile(piece);
    } catch (error) {
      if (isDiskFull(error)) throw error;
      return onLost(messageOf(error));
    }
    await runScriptOrThrow(site, { name, text: UNSAVE, args: [name, folder, tree ?? id] });
  } finally {
    await rm(incoming, { recursive: true, force: true });
  }
}

async function* packInTheClear(store: string, tree: string): AsyncGenerator<Buffer> {
  yield await git(['pack-objects', '--revs', '--stdout', '-q', '--window=0'], { gitDir: store, input: `${tree}\n` });
}

function isDiskFull(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOSPC' || code === 'EDQUOT' || code === 'git/disk-full';
}

/** Opens a file that programs in the walls of git have written, none of which lives any more; never through a link. */
async function openBelow(root: string, path: string): Promise<FileHandle> {
  for (let folder = dirname(path); folder !== '.'; folder = dirname(folder)) {
    if (!(await lstat(join(root, folder))).isDirectory()) throw new Error(`${join(root, folder)} is no folder`);
  }
  const file = await open(join(root, path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw new Error(`${join(root, path)} is no file`);
}

function notWritten(name: PartName): SwitchyardError {
  return new SwitchyardError({
    code: 'workspace/not-saved',
    message: `git in the workspace did not say what it packed of ${name}.`,
    hint: 'Retry; the workspace is made again if it stays so.',
  });
}
