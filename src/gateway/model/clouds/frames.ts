/** Of one message: what is longer is none. AWS allows 16 MiB at most. */
const LONGEST = 24 * 2 ** 20;
/** Its length, that of its headers, and two checksums. */
const SHORTEST = 16;

/**
 * Cuts a stream of AWS into its messages, each of which begins with its length
 * (https://smithy.io/2.0/aws/amazon-eventstream.html): for every piece that comes, all messages that it completes. Throws for a stream that is none, or
 * ends within a message, after what came before.
 */
export async function* framesOf(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<readonly Buffer[], void, undefined> {
  let held: Buffer = Buffer.alloc(0);
  /** Pieces of a message that is not whole yet, put together once it is. */
  let waiting: Uint8Array[] = [];
  let missing = 0;
  for await (const piece of pieces) {
    waiting.push(piece);
    missing -= piece.length;
    if (missing > 0) continue;
    held = Buffer.concat(waiting);
    const frames: Buffer[] = [];
    let from = 0;
    let length = lengthAt(held, from);
    while (length !== undefined && isLength(length) && from + length <= held.length) {
      frames.push(held.subarray(from, from + length));
      from += length;
      length = lengthAt(held, from);
    }
    held = held.subarray(from);
    waiting = held.length === 0 ? [] : [held];
    missing = (length ?? SHORTEST) - held.length;
    if (frames.length > 0) yield frames;
    if (length !== undefined && !isLength(length)) throw new Error('the stream is not one of messages');
  }
  if (waiting.length > 0) throw new Error('the stream ended within a message');
}

function lengthAt(bytes: Buffer, from: number): number | undefined {
  return bytes.length - from < 4 ? undefined : bytes.readUInt32BE(from);
}

function isLength(length: number): boolean {
  return length >= SHORTEST && length <= LONGEST;
}
