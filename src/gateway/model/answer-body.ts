import type { IncomingMessage } from 'node:http';

/** Of an answer that is read as a whole. */
const MOST_READ = 64 * 1024;

/** The beginning of an answer's body. Rejects for one that breaks off before. */
export async function readAll(answer: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of answer as AsyncIterable<Buffer>) {
    pieces.push(piece);
    length += piece.length;
    if (length > MOST_READ) break;
  }
  return Buffer.concat(pieces).subarray(0, MOST_READ);
}
