import { printable } from '../printable.ts';
import type { Matcher, Span } from './matcher.ts';
import { wrappedSpans } from './wrapped.ts';

/** Everything in the text that is a secret; some may overlap. */
export function spansIn(text: string, matcher: Matcher): Span[] {
  return [...matcher.find(text), ...wrappedSpans(text, matcher)];
}

/** The text with `[secret NAME]` in their places. Those that overlap are one, with the name of the first. */
export function withoutSpans(text: string, spans: readonly Span[]): string {
  if (spans.length === 0) return text;
  const parts: string[] = [];
  let at = 0;
  for (const { start, end, name } of merged(spans)) {
    parts.push(text.slice(at, start), `[secret ${name}]`);
    at = end;
  }
  return parts.join('') + text.slice(at);
}

/**
 * The same text, unless something that a terminal obeys and does not show has parted a secret in it: colours within a word. Then it is
 * without such, and without the secret.
 */
export function withoutHidden(text: string, spansOf: (text: string) => readonly Span[]): string {
  if (!OBEYED.test(text)) return text;
  const shown = printable(text);
  const spans = spansOf(shown);
  return spans.length === 0 ? text : withoutSpans(shown, spans);
}

/** Some of what `printable` takes out; line breaks and tabs part words for everybody. */
const OBEYED = /[^\P{Cc}\n\t]|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]|[\u{e0000}-\u{e007f}]/u;

function merged(spans: readonly Span[]): Span[] {
  const apart: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    const last = apart.at(-1);
    if (last === undefined || span.start >= last.end) apart.push(span);
    else apart[apart.length - 1] = { ...last, end: Math.max(last.end, span.end) };
  }
  return apart;
}
