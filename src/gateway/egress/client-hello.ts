/** What the first bytes of a connection say about whom it is meant for. */
export type Greeting =
  /** More bytes are needed. */
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'other' }
  /** TLS; with the server's name in lower case where the client names one. */
  | { readonly kind: 'hello'; readonly serverName: string | undefined }
  /** Begins like TLS and is none, or says something twice: servers could read another name in it than we do. */
  | { readonly kind: 'malformed' };

/** Far more than any client sends, keys that withstand quantum computers included. */
const LIMIT = 16 * 1024;
const MOST_RECORDS = 32;
const HANDSHAKE = 22;
const CLIENT_HELLO = 1;

/** Reads the beginning of what a client sends. */
export function readGreeting(bytes: Buffer): Greeting {
  if (bytes.length === 0) return { kind: 'incomplete' };
  if (bytes[0] !== HANDSHAKE) return { kind: 'other' };
  try {
    const message = handshakeOf(bytes);
    if (message === undefined) return bytes.length > LIMIT ? { kind: 'malformed' } : { kind: 'incomplete' };
    return { kind: 'hello', serverName: serverNameOf(message) };
  } catch (error) {
    if (error instanceof Malformed) return { kind: 'malformed' };
    throw error;
  }
}

class Malformed extends Error {}

/** The first message's body, put together from its records; undefined while it is not all there. */
function handshakeOf(bytes: Buffer): Buffer | undefined {
  const pieces: Buffer[] = [];
  let gathered = 0;
  for (let at = 0; at < bytes.length; ) {
    if (bytes[at] !== HANDSHAKE || (bytes[at + 1] ?? 3) !== 3) throw new Malformed();
    if (bytes.length < at + 5) return undefined;
    const length = bytes.readUInt16BE(at + 3);
    if (length === 0 || length > 16_384 || pieces.length === MOST_RECORDS) throw new Malformed();
    const piece = bytes.subarray(at + 5, at + 5 + length);
    pieces.push(piece);
    gathered += piece.length;
    at += 5 + length;
    if (gathered < 4) continue;
    const message = Buffer.concat(pieces);
    if (message[0] !== CLIENT_HELLO) throw new Malformed();
    const size = message.readUIntBE(1, 3);
    if (size > LIMIT) throw new Malformed();
    if (gathered >= 4 + size) return message.subarray(4, 4 + size);
  }
  return undefined;
}

function serverNameOf(message: Buffer): string | undefined {
  const hello = new Reader(message);
  hello.skip(2 + 32);
  hello.vector(1);
  hello.vector(2);
  hello.vector(1);
  if (hello.isAtEnd) return undefined;
  const extensions = new Reader(hello.vector(2));
  if (!hello.isAtEnd) throw new Malformed();
  let name: string | undefined;
  while (!extensions.isAtEnd) {
    const type = extensions.number(2);
    const content = extensions.vector(2);
    if (type !== 0) continue;
    if (name !== undefined) throw new Malformed();
    name = onlyName(content);
  }
  return name;
}

function onlyName(content: Buffer): string {
  const extension = new Reader(content);
  const list = new Reader(extension.vector(2));
  const type = list.number(1);
  const name = list.vector(2);
  if (type !== 0 || name.length === 0 || !list.isAtEnd || !extension.isAtEnd) throw new Malformed();
  return name.toString('latin1').toLowerCase();
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  skip(length: number): Buffer {
    if (this.#at + length > this.#bytes.length) throw new Malformed();
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  number(size: number): number {
    return this.skip(size).readUIntBE(0, size);
  }

  /** Bytes that stand behind their own length, which takes `size` bytes. */
  vector(size: number): Buffer {
    return this.skip(this.number(size));
  }
}
