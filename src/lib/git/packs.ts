import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { git, type GitOptions } from './git.ts';

/** Above so many objects a pack is kept as it is; below, it is taken apart, so that many small ones do not pile up. */
const UNPACK_LIMIT = 1000;

/**
 * Takes a pack stream into a repository. `strict` refuses malformed objects and those whose links lead nowhere. Either way the
 * ids are computed here, from the contents.
 */
export async function receivePack(pack: Readable, options: GitOptions & { strict: boolean }): Promise<void> {
  const header = await peek(pack, 12);
  const many = header.length === 12 && header.readUInt32BE(8) > UNPACK_LIMIT;
  const strict = options.strict ? ['--strict'] : [];
  const args = many ? ['index-pack', '--stdin', '--fix-thin', ...strict] : ['unpack-objects', '-q', ...strict];
  await git(args, { ...options, input: pack });
}

/** The first bytes of a stream (fewer where it ends before), which stay in it. */
async function peek(stream: Readable, length: number): Promise<Buffer> {
  let seen = Buffer.alloc(0);
  while (seen.length < length) {
    const chunk = stream.read() as Buffer | null;
    if (chunk !== null) {
      seen = Buffer.concat([seen, chunk]);
    } else if (stream.readableEnded || stream.destroyed) {
      break;
    } else {
      await Promise.race([once(stream, 'readable'), once(stream, 'end')]);
    }
  }
  if (seen.length > 0) stream.unshift(seen);
  return seen;
}
