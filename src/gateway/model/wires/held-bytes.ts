/** Bytes that wait for their end, up to a bound. They are copied: what they came in is not held on to. */
export class HeldBytes {
  readonly #most: number;
  #bytes = EMPTY;
  #length = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get length(): number {
    return this.#length;
  }

  /** Whether there was room. Where there was none, nothing is held any more. */
  add(piece: Uint8Array): boolean {
    const length = this.#length + piece.length;
    if (length > this.#most) {
      this.clear();
      return false;
    }
    if (length > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.min(this.#most, Math.max(length, 2 * this.#bytes.length, SMALLEST)));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(piece, this.#length);
    this.#length = length;
    return true;
  }

  /** What is held, until something is added again. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#length);
    this.clear();
    return taken;
  }

  clear(): void {
    if (this.#bytes.length > LARGEST_KEPT) this.#bytes = EMPTY;
    this.#length = 0;
  }
}

const EMPTY = Buffer.alloc(0);
const SMALLEST = 1024;
/** Room that is kept for what comes next. */
const LARGEST_KEPT = 64 * 1024;
