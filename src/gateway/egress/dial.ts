import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, connect as netConnect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../lib/error.ts';
import type { Permission } from './allow-list.ts';
import type { CompanyProxies, CompanyProxy } from './company-proxy.ts';
import { isGlobalAddress } from './global-address.ts';
import { authorityOf, type Destination } from './host-name.ts';

/** Names to addresses, as this machine knows them. Rejects where there is none. */
export type Resolve = (name: string) => Promise<readonly string[]>;

export const resolveHere: Resolve = async (name) =>
  (await lookup(name, { all: true, verbatim: true })).map(({ address }) => address);

export type Dialled =
  | { readonly kind: 'connected'; readonly socket: Socket }
  /** The name leads to addresses alone that it may not lead to; one of them. */
  | { readonly kind: 'private'; readonly address: string }
  /** Nothing answers there; a sentence that holds no credential. */
  | { readonly kind: 'failed'; readonly why: string };

export interface DialParts {
  readonly resolve: Resolve;
  readonly proxies: CompanyProxies;
}

const CONNECT_MS = 30_000;
/** How long a name that a company's proxy will resolve itself is looked up here too. */
const LOOK_UP_MS = 2_000;

/**
 * Connects to a destination, on the very addresses that were found to be allowed, or through the company's proxy. The caller destroys the
 * socket, which stays half open when the other side ends. Aborting makes it `failed`.
 */
export async function dial(
  parts: DialParts,
  destination: Destination,
  { permission, signal }: { permission: Exclude<Permission, 'refused'>; signal: AbortSignal },
): Promise<Dialled> {
  const proxy = parts.proxies(destination, 'https');
  const found = await allowedAddresses(parts, destination, { permission, isOnlyChecked: proxy !== undefined });
  if (found.kind !== 'addresses') return found;
  try {
    const socket =
      proxy === undefined
        ? await connectTo(found.addresses, destination.port, signal)
        : await throughProxy(proxy, destination, signal);
    return { kind: 'connected', socket };
  } catch (error) {
    return { kind: 'failed', why: `${authorityOf(destination)} cannot be reached: ${codeOf(error)}` };
  }
}

type Found = Exclude<Dialled, { kind: 'connected' }> | { kind: 'addresses'; addresses: readonly string[] };

/** The addresses of a destination that it may lead to; none is needed where they are only checked. */
export async function allowedAddresses(
  { resolve }: Pick<DialParts, 'resolve'>,
  { host }: Destination,
  { permission, isOnlyChecked }: { permission: Exclude<Permission, 'refused'>; isOnlyChecked: boolean },
): Promise<Found> {
  if (isIP(host) !== 0) {
    const isLetThrough = permission === 'anywhere' || isGlobalAddress(host);
    return isLetThrough ? { kind: 'addresses', addresses: [host] } : { kind: 'private', address: host };
  }
  if (isOnlyChecked && permission === 'anywhere') return { kind: 'addresses', addresses: [] };
  let all: readonly string[];
  try {
    const found = resolve(host);
    all = isOnlyChecked ? await Promise.race([found, sleep(LOOK_UP_MS, [], { ref: false })]) : await found;
  } catch (error) {
    if (isOnlyChecked) return { kind: 'addresses', addresses: [] };
    return { kind: 'failed', why: `${host} cannot be found: ${codeOf(error)}` };
  }
  if (permission === 'anywhere') return { kind: 'addresses', addresses: all };
  const addresses = all.filter((address) => isGlobalAddress(address));
  const [first] = all;
  return addresses.length === 0 && first !== undefined
    ? { kind: 'private', address: first }
    : { kind: 'addresses', addresses };
}

/** Connects to the first of the addresses that answers. */
export async function connectTo(addresses: readonly string[], port: number, signal: AbortSignal): Promise<Socket> {
  signal.throwIfAborted();
  const list = addresses.map((address) => ({ address, family: isIP(address) }));
  const socket = netConnect({
    host: 'name.invalid',
    port,
    // Nothing is looked up again: what was checked is what is connected to.
    lookup: (_name, options, done) => {
      const [first] = list;
      if (first === undefined) done(Object.assign(new Error('no address'), { code: 'ENOTFOUND' }), '');
      else if (options.all === true) done(null, list);
      else done(null, first.address, first.family);
    },
    autoSelectFamily: true,
    allowHalfOpen: true,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: 60_000,
  });
  const slow = AbortSignal.any([signal, AbortSignal.timeout(CONNECT_MS)]);
  try {
    await once(socket, 'connect', { signal: slow });
    return socket;
  } catch (error) {
    socket.on('error', () => undefined).destroy();
    throw error;
  }
}

/** A tunnel that the company's proxy makes. */
async function throughProxy(proxy: CompanyProxy, destination: Destination, signal: AbortSignal): Promise<Socket> {
  const target = `${isIP(destination.host) === 6 ? `[${destination.host}]` : destination.host}:${destination.port}`;
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const request = (proxy.isSecure ? httpsRequest : httpRequest)({
    host: proxy.host,
    port: proxy.port,
    method: 'CONNECT',
    path: target,
    headers: { host: target, ...authorizationFor(proxy) },
    agent: false,
  });
  request.on('error', reject);
  request.once('connect', (response, socket, head) => {
    if (response.statusCode === 200) {
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    } else {
      socket.on('error', () => undefined).destroy();
      reject(new ProxyRefusal(`this machine's proxy answered ${response.statusCode}`));
    }
  });
  // Not handed to the request itself: the tunnel outlives the time that it may take to be made.
  const slow = AbortSignal.any([signal, AbortSignal.timeout(CONNECT_MS)]);
  const abandon = (): void => void request.destroy(new Error('gave up'));
  slow.addEventListener('abort', abandon);
  if (slow.aborted) abandon();
  try {
    request.end();
    return await promise;
  } finally {
    slow.removeEventListener('abort', abandon);
  }
}

export function authorizationFor({ authorization }: CompanyProxy): Record<string, string> {
  return authorization === undefined ? {} : { 'proxy-authorization': authorization };
}

class ProxyRefusal extends Error {}

/** The system's short word for what went wrong; its messages may say more than programs within the walls need to know. */
export function codeOf(error: unknown): string {
  if (error instanceof ProxyRefusal) return error.message;
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return error instanceof AggregateError ? codeOf(error.errors[0]) : (messageOf(error).split('\n')[0] ?? '');
}
