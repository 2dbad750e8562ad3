import { tryJson } from '../../../lib/try-json.ts';
import { HeldBytes } from './held-bytes.ts';

/** Holds a body of JSON, an object or an array, until it is whole, and tells what it says. One that is longer than the bound is never whole. */
export class JsonBody {
  readonly #whole: (value: unknown) => void;
  readonly #bytes: HeldBytes;
  #state: 'open' | 'over' = 'open';
  #depth = 0;
  #inString = false;
  #isEscaped = false;

  constructor(whole: (value: unknown) => void, most: number) {
    this.#whole = whole;
    this.#bytes = new HeldBytes(most);
  }

  take(chunk: Uint8Array): void {
    if (this.#state === 'over') return;
    const end = this.#endIn(chunk);
    if (!this.#bytes.add(end === -1 ? chunk : chunk.subarray(0, end + 1))) {
      this.#state = 'over';
      return;
    }
    if (end === -1) return;
    this.#state = 'over';
    const value = tryJson(this.#bytes.take().toString('utf8'));
    if (value !== undefined) this.#whole(value);
  }

  /** Where in the chunk the outermost bracket closes; -1 where it does not. In UTF-8, no byte of a longer character looks like one of these. */
  #endIn(chunk: Uint8Array): number {
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at];
      if (this.#inString) {
        if (this.#isEscaped) this.#isEscaped = false;
        else if (byte === BACKSLASH) this.#isEscaped = true;
        else if (byte === QUOTE) this.#inString = false;
      } else if (byte === QUOTE) this.#inString = true;
      else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) this.#depth += 1;
      else if ((byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) && --this.#depth <= 0) return at;
    }
    return -1;
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
