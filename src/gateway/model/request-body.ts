import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, zstdDecompress } from 'node:zlib';

/** The largest request that any of the providers takes. */
export const LARGEST_REQUEST = 32 * 2 ** 20;

export type ReadBody =
  | { readonly kind: 'body'; readonly bytes: Buffer }
  | { readonly kind: 'too-large' }
  /** There is no room for it beside those that are held already. */
  | { readonly kind: 'no-room' }
  /** The client went away, or was too slow. */
  | { readonly kind: 'gone' };

/** Reads a request's body as it was sent, up to the bound. `hold` is asked for the room of each piece. */
export async function readBody(
  request: IncomingMessage,
  hold: (bytes: number) => boolean = () => true,
  most: number = LARGEST_REQUEST,
): Promise<ReadBody> {
  if (Number(request.headers['content-length'] ?? 0) > most) return { kind: 'too-large' };
  const pieces: Buffer[] = [];
  let length = 0;
  try {
    for await (const piece of request as AsyncIterable<Buffer>) {
      length += piece.length;
      if (length > most) return { kind: 'too-large' };
      if (!hold(piece.length)) return { kind: 'no-room' };
      pieces.push(piece);
    }
  } catch {
    return { kind: 'gone' };
  }
  return request.complete ? { kind: 'body', bytes: Buffer.concat(pieces, length) } : { kind: 'gone' };
}

const DECODERS: Readonly<Record<string, (bytes: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>>> = {
  gzip: promisify<Buffer, { maxOutputLength: number }, Buffer>(gunzip),
  br: promisify<Buffer, { maxOutputLength: number }, Buffer>(brotliDecompress),
  deflate: promisify<Buffer, { maxOutputLength: number }, Buffer>(inflate),
  zstd: promisify<Buffer, { maxOutputLength: number }, Buffer>(zstdDecompress),
};

export interface JsonBody {
  readonly json: Readonly<Record<string, unknown>>;
  readonly length: number;
}

/**
 * The object of JSON that a body holds, and how many bytes it has there, not compressed; undefined where it holds none, is coded in a way that nobody here knows, or unpacks to too much:
 * more bytes than a request may have, or so many parts that to read them would hold everybody else up.
 */
export async function jsonOf(bytes: Buffer, encoding: string | undefined): Promise<JsonBody | undefined> {
  try {
    const plain = await unpacked(bytes, encoding, LARGEST_REQUEST);
    if (plain === undefined || hasTooManyParts(plain)) return undefined;
    const value: unknown = JSON.parse(plain.toString());
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? { json: value as Readonly<Record<string, unknown>>, length: plain.length }
      : undefined;
  } catch {
    return undefined;
  }
}

/** A body as it was before it was coded; undefined where it is coded in a way that nobody here knows, broken, or longer than `most` then. */
export async function unpacked(bytes: Buffer, encoding: string | undefined, most: number): Promise<Buffer | undefined> {
  const name = encoding?.trim().toLowerCase() ?? '';
  if (name === '' || name === 'identity') return bytes;
  return DECODERS[name]?.(bytes, { maxOutputLength: most }).catch(() => undefined);
}

/** Long conversations have some thousand: what makes a request large is texts and images, whose commas count here, too. */
const MOST_PARTS = 500_000;

function hasTooManyParts(json: Buffer): boolean {
  if (json.length <= MOST_PARTS) return false;
  let parts = 0;
  for (const byte of json) if (byte === COMMA || byte === OPEN_ARRAY || byte === OPEN_OBJECT) parts += 1;
  return parts > MOST_PARTS;
}

const COMMA = 0x2c;
const OPEN_ARRAY = 0x5b;
const OPEN_OBJECT = 0x7b;
