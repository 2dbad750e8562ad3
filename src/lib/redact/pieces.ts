import type { Matcher } from './matcher.ts';
import { spansIn, withoutHidden, withoutSpans } from './spans.ts';
import { openChainFrom } from './wrapped.ts';

/** So much of a line without an end is held back, or some lengths of the longest secret. */
const LONGEST_LINE = 64 * 1024;

/** Holds back the line that is not complete yet, and lines before it in which something has begun that may be a secret. */
export class RedactedPieces {
  readonly #matcher: Matcher;
  readonly #most: number;
  #held = '';

  constructor(matcher: Matcher) {
    this.#matcher = matcher;
    this.#most = Math.max(LONGEST_LINE, 8 * matcher.longest);
  }

  /** What is certain by now of all that was added. */
  add(piece: string): string {
    this.#held += piece;
    const isLong = this.#held.length > this.#most;
    if (!isLong && !piece.includes('\n')) return '';
    const spans = spansIn(this.#held, this.#matcher);
    let certain = this.#certain(isLong);
    // Nothing that is whole is cut in two.
    for (const { start, end } of spans.toSorted((a, b) => b.start - a.start))
      if (start < certain && end > certain) certain = start;
    const text = this.#held.slice(0, certain);
    this.#held = this.#held.slice(certain);
    const within = spans.filter(({ end }) => end <= certain);
    return withoutHidden(withoutSpans(text, within), (shown) => spansIn(shown, this.#matcher));
  }

  end(): string {
    const rest = this.#held;
    this.#held = '';
    const spansOf = (text: string) => [...spansIn(text, this.#matcher), ...this.#matcher.cutOff(text, 'end')];
    return withoutHidden(withoutSpans(rest, spansOf(rest)), spansOf);
  }

  /** How much of what is held nothing that comes can make part of a secret. */
  #certain(isLong: boolean): number {
    const { longest } = this.#matcher;
    const text = isLong ? this.#held : this.#held.slice(0, this.#held.lastIndexOf('\n') + 1);
    const open = Math.min(openChainFrom(text, longest), this.#matcher.openFrom(text));
    // A flood of one encoding, or of one line, does not fill the memory.
    return isLong ? Math.max(open, text.length - 4 * longest) : open;
  }
}
