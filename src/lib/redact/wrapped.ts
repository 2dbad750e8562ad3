import type { Matcher, Span } from './matcher.ts';

// `base64` and `xxd -p` break their lines: a secret in such an encoding goes on in the next line.

/** Fewer characters of an encoding before a line's end are no line that was broken. */
const BROKEN_AT = 60;

/** What is found where lines that end in an encoding are read as one. */
export function wrappedSpans(text: string, matcher: Matcher): Span[] {
  const spans: Span[] = [];
  for (let from = 0; ; ) {
    const chain = nextChain(text, from, matcher.longest);
    if (chain === undefined) return spans;
    from = chain.end;
    const joined = chain.parts.map(({ start, end }) => text.slice(start, end)).join('');
    for (const { start, end, name } of matcher.find(joined))
      spans.push({ start: placeOf(chain.parts, start), end: placeOf(chain.parts, end - 1) + 1, name });
  }
}

/** Where the last line begins that goes on, or may, behind the end of the text; the text's length where none does. */
export function openChainFrom(text: string, longest: number): number {
  let from = 0;
  for (;;) {
    const chain = nextChain(text, from, longest);
    if (chain === undefined) return text.length;
    if (chain.end >= text.length) return chain.parts[0]?.start ?? text.length;
    from = chain.end;
  }
}

interface Part {
  readonly start: number;
  readonly end: number;
}

/** The next run of lines in one encoding, without their breaks. */
function nextChain(text: string, from: number, longest: number): { parts: Part[]; end: number } | undefined {
  for (let at = text.indexOf('\n', from); at !== -1; at = text.indexOf('\n', at + 1)) {
    const lineEnd = text.charCodeAt(at - 1) === RETURN ? at - 1 : at;
    const start = runBefore(text, lineEnd, { from, most: longest });
    if (lineEnd - start < BROKEN_AT) continue;
    const parts: Part[] = [{ start, end: lineEnd }];
    let end = at + 1;
    for (;;) {
      const partEnd = runAfter(text, end);
      if (partEnd > end) parts.push({ start: end, end: partEnd });
      const isWhole = partEnd - end >= BROKEN_AT;
      const lineBreak = breakAt(text, partEnd);
      end = isWhole && lineBreak > 0 ? partEnd + lineBreak : partEnd;
      if (!isWhole || lineBreak === 0) return { parts, end };
    }
  }
  return undefined;
}

const RETURN = 13;

function breakAt(text: string, at: number): number {
  if (text[at] === '\n') return 1;
  return text[at] === '\r' && text[at + 1] === '\n' ? 2 : 0;
}

function runBefore(text: string, end: number, { from, most }: { from: number; most: number }): number {
  let start = end;
  while (start > from && end - start < Math.max(most, BROKEN_AT) && isEncoded(text.charCodeAt(start - 1))) start -= 1;
  return start;
}

function runAfter(text: string, start: number): number {
  let end = start;
  while (end < text.length && isEncoded(text.charCodeAt(end))) end += 1;
  return end;
}

/** Base64 in both alphabets; hex is part of it. */
function isEncoded(code: number): boolean {
  return (
    (code >= 97 && code <= 122) ||
    (code >= 65 && code <= 90) ||
    (code >= 47 && code <= 57) || // digits, and the slash before them
    code === 43 ||
    code === 45 ||
    code === 95
  );
}

/** Where in the text a character of the joined parts is. */
function placeOf(parts: readonly Part[], index: number): number {
  let left = index;
  for (const { start, end } of parts) {
    if (left < end - start) return start + left;
    left -= end - start;
  }
  throw new Error('no such place');
}
