/** Output of a program, in lines: its beginning and its end where it was too long to keep whole. */
export interface Output {
  readonly text: string;
  /** Characters that were left out, of lines that were too long or too many. */
  readonly omitted: number;
}

/** Collects lines within a bound on memory: the first half of the bound is filled once, the second holds what came last. */
export class BoundedOutput {
  readonly #half: number;
  #head = '';
  #tail: string[] = [];
  #tailSize = 0;
  #dropped = 0;
  #headIsFull = false;

  constructor(maxLength = 256 * 1024) {
    this.#half = Math.floor(maxLength / 2);
  }

  /** `cut` is how many characters the line has already lost. */
  add(line: string, cut = 0): void {
    const whole = `${cut > 0 ? `${line} [… ${cut} more characters]` : line}\n`;
    this.#dropped += cut;
    this.#headIsFull ||= this.#head.length + whole.length > this.#half;
    if (!this.#headIsFull) {
      this.#head += whole;
      return;
    }
    this.#tail.push(whole);
    this.#tailSize += whole.length;
    if (this.#tailSize > 2 * this.#half) this.#shrink();
  }

  take(): Output {
    this.#shrink();
    const gap = this.#tail.length > 0 && this.#dropped > 0 ? `[… ${this.#dropped} characters were left out …]\n` : '';
    return { text: this.#head + gap + this.#tail.join(''), omitted: this.#dropped };
  }

  /** Drops whole lines from the front of the tail; now and then only, so that a line costs little. */
  #shrink(): void {
    let first = 0;
    for (; this.#tailSize > this.#half && first < this.#tail.length; first += 1) {
      const size = this.#tail[first]?.length ?? 0;
      this.#tailSize -= size;
      this.#dropped += size;
    }
    this.#tail = this.#tail.slice(first);
  }
}
