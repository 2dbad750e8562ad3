import { createHash } from 'node:crypto';
import { type BigIntStats, lstatSync, lutimesSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { putOwnFile } from '../lib/own-file.ts';

/** How many files are looked at before others get their turn. */
const AT_ONCE = 500;

export interface Restamped {
  /** The index of a git directory, of version 2 or 3. */
  readonly index: string;
  /** What it is the index of: these very files, which the caller knows to be unchanged. */
  readonly tree: string;
  /** Gives every file this time first, in seconds since the epoch. */
  readonly mtime?: number;
}

/**
 * Writes into an index what it needs to know a file again by: number, times, owner. Git itself would read every file for that, or believe
 * sizes; this is for files that were only just put there and that nobody can have changed. Returns how many there are, and their size.
 */
export async function restampIndex({ index, tree, mtime }: Restamped): Promise<{ files: number; bytes: number }> {
  const data = await readFile(index);
  const hashLength = lengthOfHash(data);
  if (data.toString('latin1', 0, 4) !== 'DIRC' || ![2, 3].includes(data.readUInt32BE(4)))
    throw new Error(`${index} is no index of version 2 or 3`);
  const count = data.readUInt32BE(8);
  const sum = { files: 0, bytes: 0 };
  let at = 12;
  for (let n = 0; n < count; n += 1) {
    if (n % AT_ONCE === AT_ONCE - 1) await new Promise((resolve) => setImmediate(resolve));
    const start = at + 40 + hashLength + 2 + ((data.readUInt16BE(at + 40 + hashLength) & EXTENDED) === 0 ? 0 : 2);
    const end = data.indexOf(0, start);
    const isFile = (data.readUInt32BE(at + 24) & 0o170000) !== GITLINK;
    if (isFile) {
      const path = Buffer.concat([Buffer.from(`${tree}/`), data.subarray(start, end)]);
      if (mtime !== undefined) lutimesSync(path, mtime, mtime);
      const found = lstatSync(path, { bigint: true });
      stamp(data, at, found);
      sum.files += 1;
      sum.bytes += Number(found.size);
    }
    at += (Math.floor((end - at) / 8) + 1) * 8;
  }
  const hash = createHash(hashLength === 20 ? 'sha1' : 'sha256');
  hash
    .update(data.subarray(0, -hashLength))
    .digest()
    .copy(data, data.length - hashLength);
  await putOwnFile(index, data);
  return sum;
}

const EXTENDED = 0x4000;
const GITLINK = 0o160000;

function stamp(data: Buffer, at: number, found: BigIntStats): void {
  const fields = [
    found.ctimeNs / BILLION,
    found.ctimeNs % BILLION,
    found.mtimeNs / BILLION,
    found.mtimeNs % BILLION,
    found.dev,
    found.ino,
  ];
  for (const [n, value] of fields.entries()) data.writeUInt32BE(Number(BigInt.asUintN(32, value)), at + 4 * n);
  for (const [n, value] of [found.uid, found.gid, found.size].entries())
    data.writeUInt32BE(Number(BigInt.asUintN(32, value)), at + 28 + 4 * n);
}

const BILLION = 1_000_000_000n;

/** An index does not say which hash it has; it ends with that of all before. */
function lengthOfHash(data: Buffer): 20 | 32 {
  const sha1 = createHash('sha1').update(data.subarray(0, -20)).digest();
  return sha1.equals(data.subarray(-20)) ? 20 : 32;
}
