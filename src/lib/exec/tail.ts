import type { Readable } from 'node:stream';

/** The end of an output that is read to keep it flowing. Memory stays bounded however much comes. */
export interface Tail {
  /** The last of what came so far; where more was cut off, it begins with a line that says so. */
  text(): string;
}

/** Reads `stream` to its end and keeps its last `maxBytes`. Errors of the stream end it. */
export function keepTail(stream: Readable, maxBytes = 16 * 1024): Tail {
  let kept: Buffer[] = [];
  let size = 0;
  let dropped = false;
  stream.on('error', () => undefined);
  stream.on('data', (chunk: Buffer) => {
    kept.push(chunk);
    size += chunk.length;
    if (size <= 2 * maxBytes) return;
    // Cut only now and then, so that many small chunks do not cost a copy each.
    kept = [lastBytes(kept, maxBytes)];
    size = maxBytes;
    dropped = true;
  });
  return {
    text: () => {
      const cut = dropped || size > maxBytes;
      const text = lastBytes(kept, maxBytes).toString('utf8');
      return cut ? `[the beginning was left out]\n${text.slice(text.indexOf('\n') + 1)}` : text;
    },
  };
}

function lastBytes(chunks: readonly Buffer[], count: number): Buffer {
  const whole = Buffer.concat(chunks);
  return whole.subarray(Math.max(0, whole.length - count));
}
