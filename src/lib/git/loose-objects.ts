import { createHash, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, link, lstat, mkdir, open, readdir, readFile, rm, utimes } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { deflate, inflate } from 'node:zlib';
import { git } from './git.ts';

/**
 * Git's objects as files of their own, `objects/xx/…`: the content, behind a header `type length` and a NUL, deflated; the name is the
 * hash of that (gitformat-loose in git's documentation). Reading or writing one here saves a process of git for each.
 */

const compressed = promisify(deflate);
const inflated = promisify(inflate);

export interface LooseObject {
  readonly type: string;
  readonly content: Buffer;
}

/**
 * Writes an object into a repository the way git does: the content decides the name, and the file appears whole, is on the disk when
 * this returns, and is never changed. The repository's object format is that of `like`, one of its ids.
 */
export async function writeLooseObject(
  gitDir: string,
  { type, content, like }: LooseObject & { readonly like: string },
): Promise<string> {
  const whole = Buffer.concat([Buffer.from(`${type} ${content.length}\0`), content]);
  const id = idOf(whole, like);
  await place(gitDir, id, () => compressed(whole));
  return id;
}

/**
 * The object, or undefined where it has no file of its own (it may be in a pack), or one that is damaged or large. What the repository
 * borrows counts too.
 */
export async function readLooseObject(gitDir: string, id: string): Promise<LooseObject | undefined> {
  const own = join(gitDir, 'objects');
  let read = await readFileOf(own, id);
  for (const folder of read === undefined ? await borrowedBy(own) : []) read ??= await readFileOf(folder, id);
  return read === undefined ? undefined : parse(read.whole);
}

/** The folders of objects that one borrows from, but for those whose names git writes in another way. */
async function borrowedBy(objects: string): Promise<string[]> {
  const text = await readFile(join(objects, 'info/alternates'), 'utf8').catch(() => '');
  const lines = text.split('\n').filter((line) => line !== '' && !/^["#]/.test(line));
  return lines.map((line) => resolve(objects, line));
}

/**
 * Moves the objects that have files of their own from one repository to another; each is believed only after its content was found to
 * be what its name says. False, with nothing moved, when a pack is the better way: they are many or large, or something is wrong with
 * them, or there are packs already. Dying in the middle leaves those that have come over, as git itself would.
 */
export async function moveLooseObjects(from: string, to: string): Promise<boolean> {
  const ids = await listLoose(from);
  if (ids.length > MANY || (await readdir(join(from, 'objects/pack')).catch(() => [])).length > 0) return false;
  const found = await Promise.all(ids.map(async (id) => ({ id, read: await readFileOf(join(from, 'objects'), id) })));
  const objects = found.flatMap(({ id, read }) => (read === undefined ? [] : [{ id, ...read }]));
  if (objects.length < ids.length) return false;
  await Promise.all(objects.map(({ id, file }) => place(to, id, () => Promise.resolve(file))));
  await Promise.all(ids.map((id) => rm(pathOf(from, id), { force: true })));
  return true;
}

/** Removes the objects with files of their own that another repository has as well, which is an alternate of this one. */
export async function dropLooseObjects(gitDir: string, other: string): Promise<void> {
  const ids = await listLoose(gitDir);
  const told = await git(['cat-file', '--batch-check=%(objectname)', '--buffer'], {
    gitDir: other,
    input: ids.map((id) => `${id}\n`).join(''),
  });
  // Of one that is missing it says so behind the name.
  const there = new Set(told.toString().split('\n'));
  await Promise.all(ids.filter((id) => there.has(id)).map((id) => rm(pathOf(gitDir, id), { force: true })));
}

/** Beyond these, git itself does better. */
const MANY = 24;
const LARGE_FILE = 1024 * 1024;
const LARGE_CONTENT = 16 * LARGE_FILE;

async function listLoose(gitDir: string): Promise<string[]> {
  const ids: string[] = [];
  for (const entry of await foldersIn(join(gitDir, 'objects'))) {
    const folder = entry.name;
    if (!/^[0-9a-f]{2}$/.test(folder)) continue;
    const names = await readdir(join(gitDir, 'objects', folder));
    ids.push(...names.filter((name) => /^[0-9a-f]{38}([0-9a-f]{24})?$/.test(name)).map((name) => folder + name));
  }
  return ids;
}

/** Links are none of them: what one leads to is nobody's to move or remove. */
async function foldersIn(folder: string) {
  if ((await lstat(folder)).isSymbolicLink()) return [];
  return (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isDirectory());
}

async function readFileOf(objects: string, id: string): Promise<{ file: Buffer; whole: Buffer } | undefined> {
  try {
    await using handle: FileHandle = await open(
      join(objects, id.slice(0, 2), id.slice(2)),
      constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    );
    const stat = await handle.stat();
    if (!stat.isFile() || stat.size > LARGE_FILE) return undefined;
    const file = await handle.readFile();
    const whole = await inflated(file, { maxOutputLength: LARGE_CONTENT });
    return idOf(whole, id) === id ? { file, whole } : undefined;
  } catch {
    return undefined;
  }
}

function parse(whole: Buffer): LooseObject | undefined {
  const end = whole.indexOf(0);
  const [type, length] = whole.subarray(0, end).toString('latin1').split(' ');
  const content = whole.subarray(end + 1);
  return type === undefined || Number(length) !== content.length ? undefined : { type, content };
}

/** Puts the file in its place, whole or not at all. One that is there counts as used now, so that no clean-up takes it. */
async function place(gitDir: string, id: string, file: () => Promise<Buffer>): Promise<void> {
  const path = pathOf(gitDir, id);
  const now = new Date();
  const isThere = await utimes(path, now, now).then(
    () => true,
    () => false,
  );
  if (isThere) return;
  const draft = join(gitDir, 'objects', `tmp_obj_${randomBytes(6).toString('hex')}`);
  try {
    await using handle = await open(draft, 'wx', 0o444);
    await handle.writeFile(await file());
    await handle.sync();
    await linkInto(join(gitDir, 'objects', id.slice(0, 2)), draft, path);
  } finally {
    await rm(draft, { force: true });
  }
}

/** A clean-up may take the folder away between its making and the file's. */
async function linkInto(folder: string, draft: string, path: string, tries = 3): Promise<void> {
  await mkdir(folder, { recursive: true });
  try {
    await link(draft, path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || tries <= 1) throw error;
    await linkInto(folder, draft, path, tries - 1);
  }
}

function pathOf(gitDir: string, id: string): string {
  return join(gitDir, 'objects', id.slice(0, 2), id.slice(2));
}

/** The object format is that of `like`. */
function idOf(whole: Buffer, like: string): string {
  return createHash(like.length === 64 ? 'sha256' : 'sha1')
    .update(whole)
    .digest('hex');
}
