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
  const many = (await objectCount(pack)) > UNPACK_LIMIT;
  const args = many ? ['index-pack', '--stdin', '--fix-thin', ...options] : ['unpack-objects', '-q', ...options];
  await git(args, { gitDir, input: pack });
}

/** From the header: `PACK`, version, number of objects; 0 where there is no header. Leaves the position at the beginning. */
async function objectCount(pack: FileHandle): Promise<number> {
  const header = Buffer.alloc(12);
  const { bytesRead } = await pack.read(header, 0, 12, 0);
  return bytesRead === 12 ? header.readUInt32BE(8) : 0;
}
