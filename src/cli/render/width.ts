// Columns that text takes on a terminal. Text is already printable; lines with colours are never measured.

const GRAPHEMES = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
const ASCII = /^[\x20-\x7e]*$/;
const WIDE =
  /^(?:\p{Emoji_Presentation}|\p{Extended_Pictographic}\ufe0f|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{20000}-\u{3fffd}])/u;
const NOTHING = /^[\p{M}\p{Cf}]+$/u;

export function widthOf(text: string): number {
  if (ASCII.test(text)) return text.length;
  return Array.from(GRAPHEMES.segment(text)).reduce((sum, { segment }) => sum + graphemeWidth(segment), 0);
}

/** The text, cut to `width` columns with an ellipsis at its end where it is longer. */
export function fit(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let kept = '';
  let used = 1;
  for (const { segment } of GRAPHEMES.segment(text)) {
    used += graphemeWidth(segment);
    if (used > width) break;
    kept += segment;
  }
  return width < 1 ? '' : `${kept.trimEnd()}…`;
}

/**
 * The line as lines of at most `width` columns, broken between words, and within one that is longer than a line. Lines that continue
 * begin where the first one's text does, behind its blanks and the mark of an item of a list.
 */
export function wrap(text: string, width: number): string[] {
  if (widthOf(text) <= width) return [text];
  const found = /^ *(?:[-*] |\d+\. )?/.exec(text)?.[0] ?? '';
  // Indented so far that no room is left: then the text counts more than the margin.
  const margin = found.length * 2 > width ? '' : found;
  const room = Math.max(1, width - margin.length);
  const words = text.slice(margin.length).trim().split(' ');
  const lines: string[] = [];
  let line = '';
  for (const word of words.flatMap((long) => pieces(long, room))) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (widthOf(longer) > room && line !== '') {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line].map((part, index) => (index === 0 ? margin : ' '.repeat(margin.length)) + part);
}

export function padEnd(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}

/** A word that is wider than a line, in parts that are not. */
function pieces(word: string, width: number): string[] {
  if (widthOf(word) <= width) return [word];
  const parts: string[] = [];
  let part = '';
  let used = 0;
  for (const { segment } of GRAPHEMES.segment(word)) {
    const wide = graphemeWidth(segment);
    if (used + wide > width && part !== '') {
      parts.push(part);
      part = '';
      used = 0;
    }
    part += segment;
    used += wide;
  }
  return [...parts, part];
}

function graphemeWidth(grapheme: string): number {
  if (NOTHING.test(grapheme)) return 0;
  return WIDE.test(grapheme) ? 2 : 1;
}
