import { createHash } from 'node:crypto';

/** Numbers from 0 to below 1, one after the other, that the seed determines. */
export function seededRandom(seed: number): () => number {
  let drawn = 0;
  return () => createHash('sha256').update(`${seed}/${drawn++}`).digest().readUInt32BE() / 2 ** 32;
}
