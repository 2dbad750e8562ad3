import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { makeScratchFolder } from '../scratch-folder.ts';
import type { GitFlavour } from './environment.ts';
import { type GitOptions, git, gitLine } from './git.ts';

/** Above so many objects a pack is kept as it is; below, it is taken apart, so that many small ones do not pile up. */
const UNPACK_LIMIT = 1000;

/**
 * Takes the pack in a file into a repository. `strict` refuses malformed objects and those whose links lead nowhere. Either way the
 * ids are computed here, from the contents.
 */
export async function receivePack(gitDir: string, file: string, { strict }: { strict: boolean }): Promise<void> {
  const options = strict ? ['--strict'] : [];
  await using pack = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  if (!(await pack.stat()).isFile()) throw new Error(`${file} is no file`);
  await git([...(await receiver(pack)), ...options], { gitDir, input: pack });
}

export interface CopyRequest {
  /** Names what is packed and, behind `^`, what is not: commits and trees. */
  readonly wanted: readonly string[];
  /** Where git finds those objects. */
  readonly from: GitOptions;
  /** The repository to take them, and whose it is. */
  readonly to: { readonly gitDir: string; readonly flavour: GitFlavour };
  /** The pack lies in a scratch folder of its own, `copy-…`, in this one meanwhile. */
  readonly folder: string;
}

/** Copies objects from one repository to another, by a pack that nobody but us has had in hand; those that are there may come again. */
export async function copyObjects({ wanted, from, to, folder }: CopyRequest): Promise<void> {
  await using scratch = await makeScratchFolder(join(folder, 'copy-'));
  const args = ['pack-objects', '--revs', '--quiet', '--non-empty', '--window=0', join(scratch.path, 'pack')];
  // The pack is read at once, and lost with the machine without harm.
  const config = { ...from.config, 'core.fsync': 'none' };
  const name = await gitLine(args, { ...from, config, input: [...wanted, ''].join('\n') });
  if (name === '') return;
  const path = join(scratch.path, `pack-${name}.pack`);
  await using pack = await open(path);
  await git(await receiver(pack), { ...to, input: { path } });
}

/** The command of git that takes the pack from its standard input. */
async function receiver(pack: FileHandle): Promise<string[]> {
  const many = (await objectCount(pack)) > UNPACK_LIMIT;
  return many ? ['index-pack', '--stdin', '--fix-thin'] : ['unpack-objects', '-q'];
}

/** From the header: `PACK`, version, number of objects; 0 where there is no header. Leaves the position at the beginning. */
async function objectCount(pack: FileHandle): Promise<number> {
  const header = Buffer.alloc(12);
  const { bytesRead } = await pack.read(header, 0, 12, 0);
  return bytesRead === 12 ? header.readUInt32BE(8) : 0;
}
