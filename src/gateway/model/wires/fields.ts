/** An object out of JSON that somebody else has written: nothing is known of its fields. */
export type Fields = Readonly<Record<string, unknown>>;

/** Its fields; none where it is no object. */
export function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : NONE;
}

const NONE: Fields = {};

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** A text that says something; undefined for all else. */
export function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A number of tokens, as far as it is one that a call can have. */
export function count(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 0 && value <= LARGEST_COUNT ? value : undefined;
}

/** A hundred times what models read and write at once; sums of it stay exact. */
const LARGEST_COUNT = 1_000_000_000;

/** How many characters long a text is. */
export function lengthOf(value: unknown): number {
  return typeof value === 'string' ? value.length : 0;
}

/** How many characters a value has as JSON, such as what a tool is called with. */
export function jsonLength(value: unknown): number {
  return value === undefined || value === null ? 0 : JSON.stringify(value).length;
}
