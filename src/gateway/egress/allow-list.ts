import { isIP } from 'node:net';
import { authorityOf, canonicalHost, type Destination } from './host-name.ts';

/**
 * Whether a destination may be reached: not at all; on public addresses only; or wherever it leads, because it is named by this machine's
 * own configuration: a repository cannot allow what lies in the networks of the machine that runs it.
 */
export type Permission = 'refused' | 'public' | 'anywhere';

export type AllowList = (destination: Destination) => Permission;

export interface Allowed {
  /** `host`, `host:port` or `*.host`; port 443 where none is named. */
  readonly hosts: readonly string[];
  /** What this machine's own configuration names: such names may lead to private addresses. Allows nothing by itself. */
  readonly trusted: readonly Destination[];
}

/** In place of a list: the first entry of `hosts` that cannot be read. */
export function allowList({ hosts, trusted }: Allowed): AllowList | { readonly unreadable: string } {
  const exact = new Set<string>();
  const suffixes: Destination[] = [];
  for (const text of hosts) {
    const pattern = readPattern(text);
    if (pattern === undefined) return { unreadable: text };
    if (pattern.isSuffix) suffixes.push(pattern);
    else exact.add(authorityOf(pattern));
  }
  const ours = new Set(trusted.map((destination) => authorityOf(destination)));
  return (destination) => {
    const name = authorityOf(destination);
    const isAddress = isIP(destination.host) !== 0;
    const isSuffixed = suffixes.some(
      ({ host, port }) => !isAddress && port === destination.port && destination.host.endsWith(`.${host}`),
    );
    if (!exact.has(name) && !isSuffixed) return 'refused';
    return ours.has(name) ? 'anywhere' : 'public';
  };
}

interface Pattern extends Destination {
  readonly isSuffix: boolean;
}

function readPattern(text: string): Pattern | undefined {
  const [, star, name = '', digits] = /^(\*\.)?(\[[^\]]+\]|[^:]+)(?::(\d{1,5}))?$/.exec(text) ?? [];
  const isPlainAddress = isIP(text) === 6;
  const host = canonicalHost(isPlainAddress ? text : name);
  const port = isPlainAddress || digits === undefined ? 443 : Number(digits);
  if (host === undefined || port < 1 || port > 65535) return undefined;
  if (star !== undefined && isIP(host) !== 0) return undefined;
  return { host, port, isSuffix: star !== undefined };
}
