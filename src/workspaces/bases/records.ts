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
  try {
    const record = BaseRecord.safeParse(JSON.parse(await readFile(join(folder, RECORD), 'utf8'))).data;
    return record === undefined ? undefined : { ...record, folder, name };
  } catch {
    return undefined;
  }
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
export async function touchBase({ folder }: Base, now: number): Promise<void> {
  await utimes(join(folder, RECORD), now / 1000, now / 1000).catch(() => undefined); // gone meanwhile: nobody decides about it any more
}

export const RECORD = 'base.json';
