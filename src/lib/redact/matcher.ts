/** What to look for, and what it is called. */
export interface Pattern {
  readonly text: string;
  readonly name: string;
}

/** From `start` up to `end`, which is no part of it. */
export interface Span {
  readonly start: number;
  readonly end: number;
  readonly name: string;
}

/** Finds many patterns in a text at once. */
export interface Matcher {
  /** The length of the longest pattern. */
  readonly longest: number;
  /** Where patterns are, in order of their beginnings; of several that begin at one place the longest. */
  find(text: string): Span[];
  /** Long parts of patterns at the very beginning and end of a text that was cut there. */
  cutOff(text: string, where?: 'end'): Span[];
  /** Where the text's end may turn out to be the beginning of a pattern; the text's length where it does not. */
  openFrom(text: string): number;
}

/** Table of shifts, by a hash of three characters. */
const TABLE = 2 ** 17;
const BLOCK = 3;
/** A part of a pattern that tells something of it. */
const LONG_PART = 12;
const FIRST = 4;

/** The patterns must have at least three characters. After Wu and Manber: most of a text is passed over in steps of the shortest pattern. */
export function compileMatcher(patterns: readonly Pattern[]): Matcher {
  const window = Math.min(...patterns.map(({ text }) => text.length));
  const longest = Math.max(...patterns.map(({ text }) => text.length));
  const shifts = new Uint16Array(TABLE).fill(Math.min(window - BLOCK + 1, 0xff_ff));
  /** By the first and the last characters of their windows. */
  const windows = new Map<number, Pattern[]>();
  for (const pattern of patterns) {
    for (let at = 0; at + BLOCK <= window; at += 1) {
      const hash = hashAt(pattern.text, at);
      shifts[hash] = Math.min(shifts[hash] ?? 0, window - BLOCK - at);
    }
    put(windows, windowAt(pattern.text, 0, window), pattern);
  }
  for (const one of windows.values()) one.sort((a, b) => b.text.length - a.text.length);
  const edges = edgesOf(patterns);
  return {
    longest,
    find(text) {
      const found: Span[] = [];
      for (let start = 0; start + window <= text.length; ) {
        const shift = shifts[hashAt(text, start + window - BLOCK)] ?? 0;
        const candidates = shift === 0 ? windows.get(windowAt(text, start, window)) : undefined;
        const pattern = candidates?.find((one) => text.startsWith(one.text, start));
        if (pattern !== undefined) found.push({ start, end: start + pattern.text.length, name: pattern.name });
        start += Math.max(shift, 1);
      }
      return found;
    },
    cutOff(text, where) {
      const spans: Span[] = [];
      const last = edges.endOf(text, LONG_PART, longest);
      if (last !== undefined) spans.push({ ...last, end: text.length });
      const first = where === 'end' ? undefined : edges.beginningOf(text, longest);
      if (first !== undefined) spans.push({ start: 0, ...first });
      return spans;
    },
    openFrom: (text) => edges.endOf(text, 1, longest)?.start ?? text.length,
  };
}

function windowAt(text: string, start: number, window: number): number {
  return hashAt(text, start) * TABLE + hashAt(text, start + window - BLOCK);
}

function hashAt(text: string, at: number): number {
  const hash = (text.charCodeAt(at) * 0x9e_3b) ^ (text.charCodeAt(at + 1) * 0x2_71) ^ text.charCodeAt(at + 2);
  return (hash ^ (hash >>> 13)) & (TABLE - 1);
}

/** Looks up by their first characters the patterns that a text may end in a part of, and by their last those that it may begin with. */
function edgesOf(patterns: readonly Pattern[]) {
  const byFirst = new Map<string, Pattern[]>();
  const byLast = new Map<string, Pattern[]>();
  for (const pattern of patterns) {
    for (let length = 1; length <= FIRST; length += 1) put(byFirst, pattern.text.slice(0, length), pattern);
    put(byLast, pattern.text.slice(-LONG_PART), pattern);
  }
  return {
    /** The longest end of the text, of at least so many characters, that a longer pattern begins with. */
    endOf(text: string, least: number, longest: number): { start: number; name: string } | undefined {
      for (let start = Math.max(0, text.length - longest + 1); start <= text.length - least; start += 1) {
        const length = text.length - start;
        const candidates = byFirst.get(text.slice(start, start + Math.min(length, FIRST)));
        if (candidates === undefined) continue;
        const rest = text.slice(start);
        const pattern = candidates.find((one) => one.text.length > length && one.text.startsWith(rest));
        if (pattern !== undefined) return { start, name: pattern.name };
      }
      return undefined;
    },
    /** The longest beginning of the text that a longer pattern ends in. */
    beginningOf(text: string, longest: number): { end: number; name: string } | undefined {
      for (let end = Math.min(text.length, longest - 1); end >= LONG_PART; end -= 1) {
        const candidates = byLast.get(text.slice(end - LONG_PART, end));
        if (candidates === undefined) continue;
        const beginning = text.slice(0, end);
        const pattern = candidates.find((one) => one.text.length > end && one.text.endsWith(beginning));
        if (pattern !== undefined) return { end, name: pattern.name };
      }
      return undefined;
    },
  };
}

function put<Key>(map: Map<Key, Pattern[]>, key: Key, pattern: Pattern): void {
  const there = map.get(key);
  if (there === undefined) map.set(key, [pattern]);
  else there.push(pattern);
}
