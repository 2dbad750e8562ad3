import { createHash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { copyFile, lstat, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { git, runGit, splitNul } from './git.ts';

/** Git LFS as it lies on a disk: pointers in commits, and the contents by their hash below `lfs/objects` of a git directory. */

export interface LfsPointer {
  /** The content's SHA-256. */
  readonly oid: string;
  /** Bytes. */
  readonly size: number;
  /** Of a file that it stands for, for people. */
  readonly path: string;
}

/** Whether any attributes of a commit name the filter. */
export async function usesLfs(gitDir: string, commit: string): Promise<boolean> {
  const args = ['grep', '-q', '-F', 'filter=lfs', commit, '--', ':(glob)**/.gitattributes'];
  return (await runGit(args, { gitDir })).code === 0;
}

const SMALLEST = 100;
const LARGEST = 1024;

/** All pointers among the files of a commit, each content once. Reads every file that has the size of one. */
export async function lfsPointersAt(gitDir: string, commit: string): Promise<LfsPointer[]> {
  const entries = splitNul(
    (await git(['ls-tree', '-r', '-z', '-l', '--full-tree', commit], { gitDir })).toString('latin1'),
  );
  const candidates = new Map<string, string>();
  for (const entry of entries) {
    const [mode = '', , id = '', size = ''] = entry.split(/[ \t]+/, 4);
    const path = entry.slice(entry.indexOf('\t') + 1);
    if (mode.startsWith('100') && Number(size) >= SMALLEST && Number(size) <= LARGEST) candidates.set(id, path);
  }
  if (candidates.size === 0) return [];
  const input = [...candidates.keys(), ''].join('\n');
  const output = (await git(['cat-file', '--batch'], { gitDir, input })).toString('latin1');
  const pointers = new Map<string, LfsPointer>();
  for (const found of output.matchAll(POINTER)) {
    const [, id = '', oid = '', size = ''] = found;
    const path = Buffer.from(candidates.get(id) ?? '', 'latin1').toString();
    pointers.set(oid, { oid, size: Number(size), path });
  }
  return [...pointers.values()];
}

const POINTER =
  /^([0-9a-f]{40,64}) blob \d+\nversion https:\/\/git-lfs\.github\.com\/spec\/v1\n(?:ext-[^\n]*\n)*oid sha256:([0-9a-f]{64})\nsize (\d+)$/gm;

/** Where a content lies in a git directory, as git-lfs has it. */
export function lfsObject(gitDir: string, oid: string): string {
  return join(gitDir, 'lfs/objects', oid.slice(0, 2), oid.slice(2, 4), oid);
}

export async function hasLfsObject(gitDir: string, oid: string): Promise<boolean> {
  return (await lstat(lfsObject(gitDir, oid)).catch(() => undefined))?.isFile() === true;
}

/** The contents that a git directory holds. */
export async function listLfsObjects(gitDir: string): Promise<string[]> {
  const first = await foldersIn(gitDir, ['lfs', 'objects']);
  const found: string[] = [];
  for (const path of first) {
    for (const folder of await foldersIn(path, []))
      found.push(...(await readdir(folder).catch(() => [])).filter((name) => /^[0-9a-f]{64}$/.test(name)));
  }
  return found;
}

/** The folders in a folder below another one. None of them is a link, nor is one on the way: it may lead anywhere. */
async function foldersIn(folder: string, [next, ...rest]: readonly string[]): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  if (next === undefined) return folders.map((name) => join(folder, name));
  return folders.includes(next) ? foldersIn(join(folder, next), rest) : [];
}

/**
 * Puts a file into its place when it is what its name says: regular, and of that hash. It appears there whole or not at all. False, and the
 * file stays, when it is anything else.
 */
export async function placeLfsObject(
  file: string,
  { gitDir, oid, move }: { gitDir: string; oid: string; move: boolean },
): Promise<boolean> {
  if ((await lstat(file).catch(() => undefined))?.isFile() !== true) return false;
  const target = lfsObject(gitDir, oid);
  const draft = `${target}.${process.pid}.draft`;
  await mkdir(dirname(target), { recursive: true });
  try {
    await copyFile(file, draft, constants.COPYFILE_FICLONE);
    if ((await hashOf(draft)) !== oid) return false;
    await rename(draft, target);
  } finally {
    await rm(draft, { force: true });
  }
  if (move) await rm(file, { force: true });
  return true;
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** Copies the contents that a commit's pointers stand for from one git directory to another, where that does not have them. */
export async function bringLfsObjects({
  from,
  to,
  commit,
}: {
  from: string;
  to: string;
  commit: string;
}): Promise<void> {
  if ((await readdir(join(from, 'lfs/objects')).catch(() => [])).length === 0) return;
  for (const { oid } of await lfsPointersAt(from, commit)) {
    if (await hasLfsObject(to, oid)) continue;
    await placeLfsObject(lfsObject(from, oid), { gitDir: to, oid, move: false });
  }
}
