import { HeldBytes } from './held-bytes.ts';

/**
 * Reads server-sent events as https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream has them: lines end in
 * CR, LF or both, an event in an empty line, and the `data` lines of one event belong together. All the protocols say in the data what an event
 * is, so its name is not looked at. Bytes may be cut anywhere. An event that is longer than the bound is left out.
 */
export class EventStream {
  readonly #event: (data: string) => void;
  readonly #most: number;
  readonly #line: HeldBytes;
  /** The line that has begun is too long. */
  #isTooLong = false;
  #data: string | undefined;
  /** The event that has begun is too long. */
  #isLeftOut = false;
  /** The last byte was a CR: an LF right after it ends the same line. */
  #afterReturn = false;

  constructor(event: (data: string) => void, most: number) {
    this.#event = event;
    this.#most = most;
    this.#line = new HeldBytes(most);
  }

  take(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    let from = 0;
    let nextReturn = bytes.indexOf(CR);
    for (;;) {
      if (nextReturn !== -1 && nextReturn < from) nextReturn = bytes.indexOf(CR, from);
      const nextFeed = bytes.indexOf(LF, from);
      const isReturn = nextReturn !== -1 && (nextFeed === -1 || nextReturn < nextFeed);
      const end = isReturn ? nextReturn : nextFeed;
      if (end === -1) break;
      const isSameEnd = this.#afterReturn && !isReturn && end === from;
      if (!isSameEnd) this.#endLine(bytes, from, end);
      this.#afterReturn = isReturn;
      from = end + 1;
    }
    if (from === bytes.length) return;
    this.#afterReturn = false;
    this.#hold(bytes.subarray(from));
  }

  #hold(piece: Uint8Array): void {
    if (!this.#isTooLong) this.#isTooLong = !this.#line.add(piece);
  }

  #endLine(bytes: Buffer, from: number, end: number): void {
    const isWhole = this.#line.length === 0 && !this.#isTooLong && end - from <= this.#most;
    if (isWhole) return this.#takeLine(bytes, from, end);
    this.#hold(bytes.subarray(from, end));
    if (this.#isTooLong) {
      this.#isTooLong = false;
      return this.#leaveOut();
    }
    const line = this.#line.take();
    this.#takeLine(line, 0, line.length);
  }

  #takeLine(bytes: Buffer, from: number, end: number): void {
    if (end === from) return this.#endEvent();
    if (this.#isLeftOut || !isData(bytes, from, end)) return;
    const value = bytes.toString('utf8', Math.min(end, bytes[from + 5] === SPACE ? from + 6 : from + 5), end);
    if (this.#data !== undefined && this.#data.length + value.length > this.#most) return this.#leaveOut();
    this.#data = this.#data === undefined ? value : `${this.#data}\n${value}`;
    // Some servers close the connection right after it, without the empty line.
    if (this.#data === END) this.#endEvent();
  }

  #leaveOut(): void {
    this.#data = undefined;
    this.#isLeftOut = true;
  }

  #endEvent(): void {
    const data = this.#data;
    this.#data = undefined;
    this.#isLeftOut = false;
    if (data !== undefined) this.#event(data);
  }
}

/** What streams of Chat Completions end in. */
export const END = '[DONE]';

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const COLON = 0x3a;

/** A line `data` or `data: …`. */
function isData(bytes: Buffer, from: number, end: number): boolean {
  if (end - from < 4 || (end - from > 4 && bytes[from + 4] !== COLON)) return false;
  return bytes[from] === 0x64 && bytes[from + 1] === 0x61 && bytes[from + 2] === 0x74 && bytes[from + 3] === 0x61;
}
