import type { OutgoingHttpHeaders } from 'node:http';
import { compileRedact, SHORTEST_SECRET } from '../../lib/redact.ts';
import type { Credential } from './credential.ts';

/** What a credential has put into a request: some upstreams say again what they were sent, and the client is not to hear it. */
export interface Withheld {
  /** Of the credential, for people. */
  readonly name: string;
  readonly values: readonly string[];
}

export const NOTHING_WITHHELD: Withheld = { name: '', values: [] };

/** `before`: the headers without the credential's, of which some say the same again. */
export function withheldOf(
  { name }: Credential,
  before: OutgoingHttpHeaders,
  added: Readonly<Record<string, string>>,
): Withheld {
  const values = Object.entries(added).flatMap(([header, value]) => {
    if (before[header.toLowerCase()] === value) return [];
    // The scheme before it, such as `Bearer`, is no part of a key.
    return [value, value.slice(value.indexOf(' ') + 1)];
  });
  return { name: name ?? 'key', values: [...new Set(values)].filter(({ length }) => length >= SHORTEST_SECRET) };
}

/** Headers without those in whose value there is something of it. */
export function headersWithout({ values }: Withheld, headers: OutgoingHttpHeaders): OutgoingHttpHeaders {
  if (values.length === 0) return headers;
  const isTold = (value: unknown): boolean => values.some((one) => [value].flat().join(', ').includes(one));
  return Object.fromEntries(Object.entries(headers).filter(([, value]) => !isTold(value)));
}

/** A text with a name in place of it, however it is coded there. */
export function textWithout({ name, values }: Withheld, text: string): string {
  return compileRedact(values.map((value) => ({ name, value })))(text);
}
