import { text } from './fields.ts';

/** A tier of service, in lower case and in short, of how a request or an answer names it; undefined for none, and where it is left to the upstream. */
export function tierIn(value: unknown): string | undefined {
  const name = text(value)
    ?.slice(0, LONGEST_NAME)
    .toLowerCase()
    .replace(/^service_tier_/, '');
  return name === undefined || UNDECIDED.has(name) ? undefined : name.replaceAll(/[^\w.-]/g, '_');
}

const LONGEST_NAME = 40;
const UNDECIDED: ReadonlySet<string> = new Set(['auto', 'unspecified']);
