import { isIP } from 'node:net';

/** Where a connection leads. */
export interface Destination {
  /** As `canonicalHost` gives it. */
  readonly host: string;
  readonly port: number;
}

/**
 * One spelling for each host: lower case, no trailing dot, addresses in dotted or shortest form without brackets, whichever way they were
 * written (decimal, octal, hexadecimal, mapped into IPv6). Undefined for what is no host.
 */
export function canonicalHost(text: string): string | undefined {
  const bare = isIP(text) === 6 ? `[${text}]` : text;
  if (!/^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)$/i.test(bare)) return undefined;
  const parsed = URL.parse(`http://${bare}/`)?.hostname.replace(/\.$/, '');
  if (parsed === undefined || parsed === '' || parsed.length > 253) return undefined;
  if (!parsed.startsWith('[')) return parsed;
  const address = parsed.slice(1, -1);
  return mappedAddress(address) ?? address;
}

/** Reads `host:port`; undefined for anything else, user names and paths included. */
export function readAuthority(text: string): Destination | undefined {
  const [, name = '', digits = ''] = /^(\[[^\]]*\]|[^:]*):(\d{1,5})$/.exec(text) ?? [];
  const host = canonicalHost(name);
  const port = Number(digits);
  return host === undefined || port < 1 || port > 65535 ? undefined : { host, port };
}

/** As a person writes it: without the port that is meant where none is named. */
export function authorityOf({ host, port }: Destination): string {
  const name = isIP(host) === 6 ? `[${host}]` : host;
  return port === 443 ? name : `${name}:${port}`;
}

/** The address in IPv4 that an address in IPv6 stands for, if it is of the form `::ffff:a.b.c.d`. */
function mappedAddress(address: string): string | undefined {
  const [, high = '', low = ''] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(address) ?? [];
  return high === '' ? undefined : dotted(high, low);
}

/** Two groups of an address in IPv6 as an address in IPv4. */
export function dotted(high: string, low: string): string {
  const [first, second] = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
  return [first >> 8, first & 255, second >> 8, second & 255].join('.');
}
