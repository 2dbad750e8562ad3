import { BlockList, isIP } from 'node:net';
import { percentDecoded } from '../../lib/percent-decoded.ts';
import { canonicalHost, type Destination } from './host-name.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** A proxy that this machine's own connections go through. */
export interface CompanyProxy extends Destination {
  readonly isSecure: boolean;
  /** What `Proxy-Authorization` holds, for itself alone. */
  readonly authorization: string | undefined;
}

/** Which proxy a connection of this machine goes through, by its `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`. */
export type CompanyProxies = (destination: Destination, scheme: 'http' | 'https') => CompanyProxy | undefined;

export function companyProxies(env: Environment): CompanyProxies {
  const byScheme = {
    http: readProxy(valueOf(env, 'http_proxy') ?? valueOf(env, 'all_proxy')),
    https: readProxy(valueOf(env, 'https_proxy') ?? valueOf(env, 'all_proxy')),
  };
  const isDirect = exceptions(valueOf(env, 'no_proxy') ?? '');
  return (destination, scheme) => (isDirect(destination) ? undefined : byScheme[scheme]);
}

function valueOf(env: Environment, name: string): string | undefined {
  return env[name] || env[name.toUpperCase()] || undefined;
}

function readProxy(text: string | undefined): CompanyProxy | undefined {
  if (text === undefined) return undefined;
  const url = URL.parse(/^[a-z0-9+.-]+:\/\//i.test(text) ? text : `http://${text}`);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) return undefined;
  const host = canonicalHost(url.hostname);
  if (host === undefined) return undefined;
  const isSecure = url.protocol === 'https:';
  const port = Number(url.port) || (isSecure ? 443 : 80);
  return { host, port, isSecure, authorization: url.username === '' ? undefined : basic(url) };
}

function basic({ username, password }: URL): string {
  const pair = [username, password].map(percentDecoded).join(':');
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}

/** Names with everything below them, addresses, ranges of addresses, each with a port if need be; `*` is everything. */
function exceptions(text: string): (destination: Destination) => boolean {
  const tests = text
    .split(/[\s,]+/)
    .filter(Boolean)
    .map((entry) => exception(entry));
  return (destination) => tests.some((test) => test(destination));
}

function exception(entry: string): (destination: Destination) => boolean {
  if (entry === '*') return () => true;
  const [network = '', bits] = entry.split('/');
  const family = isIP(network);
  if (family !== 0 && bits !== undefined && /^\d{1,3}$/.test(bits)) return inRange(network, Number(bits));
  const [, name = entry, port] = family === 6 ? [] : (/^(.*?)(?::(\d+))?$/.exec(entry) ?? []);
  const host = canonicalHost(name.replace(/^\*?\./, ''));
  return (destination) =>
    (destination.host === host || (isIP(destination.host) === 0 && destination.host.endsWith(`.${host}`))) &&
    (port === undefined || Number(port) === destination.port);
}

function inRange(network: string, bits: number): (destination: Destination) => boolean {
  const isFour = isIP(network) === 4;
  if (bits > (isFour ? 32 : 128)) return () => false;
  const range = new BlockList();
  range.addSubnet(network, bits, isFour ? 'ipv4' : 'ipv6');
  return ({ host }) => isIP(host) !== 0 && range.check(host, isIP(host) === 4 ? 'ipv4' : 'ipv6');
}
