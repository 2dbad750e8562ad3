/**
 * JSON that PostgreSQL takes: it has no place for NUL and refuses half a surrogate pair, and what agents and commands print may hold
 * both. Each becomes the replacement character.
 */
export function json(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'string' ? storable(inner) : inner));
}

/** The same for a text column. */
export function storable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd');
}
