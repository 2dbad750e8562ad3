/**
 * JSON that PostgreSQL takes: it has no place for NUL and refuses half a surrogate pair, and what agents and commands print may hold
 * both, in names too. Each becomes the replacement character.
 */
export function json(value: unknown): string {
  const text = JSON.stringify(value);
  // Nearly never: these are the escapes that it may have written for them, or what looks like one.
  return /\\u(?:0000|d[89a-f])/.test(text) ? JSON.stringify(storableWithin(JSON.parse(text))) : text;
}

/** The same for a text column. */
export function storable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd');
}

function storableWithin(value: unknown): unknown {
  if (typeof value === 'string') return storable(value);
  if (Array.isArray(value)) return value.map(storableWithin);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [storable(name), storableWithin(inner)]));
}
