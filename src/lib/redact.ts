import { formsOf } from './redact/forms.ts';
import { compileMatcher } from './redact/matcher.ts';
import { RedactedPieces } from './redact/pieces.ts';
import { spansIn, withoutHidden, withoutSpans } from './redact/spans.ts';

/** A value that nobody may read, and what stands in its place. */
export interface NamedSecret {
  readonly name: string;
  readonly value: string;
}

/**
 * Puts `[secret NAME]` in the place of secrets: as they are, and in base64, hex, percent-encoding and JSON. A text that was cut at its
 * beginning or end shows no long part of one either. Safe within JSON: what is put in needs no escape.
 */
export interface Redact {
  (text: string): string;
  /** Whether there is anything to take out. */
  isNeeded(): boolean;
  /** For a text that comes piece by piece. */
  pieces(): TextInPieces;
}

/** Whole lines come out, and the rest at the end; nothing of a secret that is split over pieces or lines does. */
export interface TextInPieces {
  /** What is certain by now of all that was added. */
  add(piece: string): string;
  end(): string;
}

/** Shorter values are left as they are: they would be found in texts that have nothing to do with them. */
export const SHORTEST_SECRET = 8;

export const redactNothing: Redact = Object.assign((text: string) => text, {
  isNeeded: () => false,
  pieces: (): TextInPieces => ({ add: (piece) => piece, end: () => '' }),
});

/** Compiled once, it takes a time that grows with the text, hardly with how many secrets there are. */
export function compileRedact(secrets: readonly NamedSecret[]): Redact {
  const patterns = secrets
    .filter(({ value }) => value.length >= SHORTEST_SECRET)
    .flatMap(({ name, value }) => formsOf(value, SHORTEST_SECRET).map((text) => ({ text, name })));
  if (patterns.length === 0) return redactNothing;
  const matcher = compileMatcher(patterns);
  const spansOf = (text: string) => [...spansIn(text, matcher), ...matcher.cutOff(text)];
  return Object.assign((text: string) => withoutHidden(withoutSpans(text, spansOf(text)), spansOf), {
    isNeeded: () => true,
    pieces: (): TextInPieces => new RedactedPieces(matcher),
  });
}

/** The same, of whatever is in force when it is asked. */
export function redactBy(current: () => Redact): Redact {
  return Object.assign((text: string) => current()(text), {
    isNeeded: () => current().isNeeded(),
    pieces: () => current().pieces(),
  });
}

/** All texts within a plain value, but for keys and for what stands at the keys that are named: a text, or a list of texts. */
export function redactWithin<T>(value: T, redact: Redact, except: ReadonlySet<string>): T {
  return redact.isNeeded() ? (within(value, { redact, except }) as T) : value;
}

function within(value: unknown, how: { redact: Redact; except: ReadonlySet<string> }): unknown {
  if (typeof value === 'string') return how.redact(value);
  if (Array.isArray(value)) return value.map((one) => within(one, how));
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [key, how.except.has(key) && isText(one) ? one : within(one, how)]),
  );
}

function isText(value: unknown): boolean {
  return typeof value === 'string' || (Array.isArray(value) && value.every((one) => typeof one === 'string'));
}
