import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { git } from './git.ts';

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
  await git([...(await waysIn(pack)), ...options], { gitDir, input: pack });
}

/** The same for a pack that we have made ourselves, into a person's repository. */
export async function receiveOwnPack(gitDir: string, file: string): Promise<void> {
  await using pack = await open(file);
  await git(await waysIn(pack), { gitDir, flavour: 'user', input: { path: file } });
}

async function waysIn(pack: FileHandle): Promise<string[]> {
  const many = (await objectCount(pack)) > UNPACK_LIMIT;
  return many ? ['index-pack', '--stdin', '--fix-thin'] : ['unpack-objects', '-q'];
}

/** From the header: `PACK`, version, number of objects; 0 where there is no header. Leaves the position at the beginning. */
async function objectCount(pack: FileHandle): Promise<number> {
  const header = Buffer.alloc(12);
  const { bytesRead } = await pack.read(header, 0, 12, 0);
  return bytesRead === 12 ? header.readUInt32BE(8) : 0;
}
