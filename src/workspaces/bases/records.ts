import { lstatSync } from 'node:fs';
import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const Common = {
  version: z.literal(1),
  /** How many files it has, and their size in bytes. */
  files: z.int(),
  bytes: z.int(),
  /** Milliseconds since the epoch, as are all times here. */
  madeAt: z.int(),
};

/** What a base says of itself; written before it gets its name, so that what has a name is whole. */
export const BaseRecord = z.discriminatedUnion('kind', [
  /** The files of a commit in `files`, and git's index of them in `index`. */
  z.object({ ...Common, kind: z.literal('source'), commit: z.string(), tree: z.string(), date: z.string() }),
  /** What setup made that the repository ignores in `files`, what it left in HOME in `home`. */
  z.object({
    ...Common,
    kind: z.literal('dependencies'),
    key: z.string(),
    /** The commit whose files it was made of. */
    commit: z.string(),
    hasHome: z.boolean(),
    /** What setup took, in milliseconds. */
    setupMs: z.number(),
  }),
]);
export type BaseRecord = z.infer<typeof BaseRecord>;

/** A base on the disk: nothing in it ever changes. */
export type Base<K extends BaseRecord['kind'] = BaseRecord['kind']> = Extract<BaseRecord, { kind: K }> & {
  /** Absolute. */
  readonly folder: string;
  readonly name: string;
};

export const sourceName = (commit: string): string => `source-${commit}`;
export const dependenciesName = (key: string): string => `dependencies-${key}`;

/** What begins so is on its way to become a base, or on its way out. */
export const DRAFT = 'draft-';
export const DOOMED = 'doomed-';

export const filesOf = ({ folder }: Base): string => join(folder, 'files');
export const homeOf = ({ folder }: Base<'dependencies'>): string => join(folder, 'home');
export const indexOf = ({ folder }: Base<'source'>): string => join(folder, 'index');

/** The base of that name in a repository's folder; undefined when there is none, or it is not one of ours. */
export async function readBase(repositoryFolder: string, name: string): Promise<Base | undefined> {
  const folder = join(repositoryFolder, name);
  const file = join(folder, RECORD);
  try {
    const look = lookOf(file);
    const known = read.get(file);
    if (known?.look === look) return known.base;
    read.delete(file);
    const record = BaseRecord.safeParse(JSON.parse(await readFile(file, 'utf8'))).data;
    if (record === undefined) return undefined;
    const base = { ...record, folder, name };
    read.set(file, { look, base });
    return base;
  } catch {
    read.delete(file);
    return undefined;
  }
}

/** What was read of records: one that is the same file of the same size says the same, since nothing ever writes into it. */
const read = new Map<string, { readonly look: string; readonly base: Base }>();

/** Throws where it is not there. */
function lookOf(file: string): string {
  const { dev, ino, size, birthtimeMs, ctimeMs } = lstatSync(file);
  return `${dev} ${ino} ${size} ${birthtimeMs || ctimeMs}`;
}

export async function writeRecord(folder: string, record: BaseRecord): Promise<void> {
  await writeFile(join(folder, RECORD), JSON.stringify(record));
}

/** All bases of a repository, newest first. */
export async function listBases(repositoryFolder: string): Promise<Base[]> {
  const names = await readdir(repositoryFolder).catch(() => []);
  const found = await Promise.all(
    names.filter((name) => /^(source|dependencies)-/.test(name)).map((name) => readBase(repositoryFolder, name)),
  );
  return found.filter((base) => base !== undefined).sort((a, b) => b.madeAt - a.madeAt);
}

/** Writes down that a base was used, for whoever decides which of them may go. */
export async function touchBase(base: Base, now: number): Promise<void> {
  const last = touched.get(base);
  if (last !== undefined && now >= last && now < last + TOUCHED_MS) return;
  touched.set(base, now);
  await utimes(join(base.folder, RECORD), now / 1000, now / 1000).catch(() => undefined); // gone meanwhile: nobody decides about it any more
}

const touched = new WeakMap<Base, number>();
/** Nobody decides by less than minutes. */
const TOUCHED_MS = 1_000;

export const RECORD = 'base.json';
