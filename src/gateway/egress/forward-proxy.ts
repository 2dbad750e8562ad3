import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { AllowList, Permission } from './allow-list.ts';
import { allowedAddresses, authorizationFor, codeOf, connectTo, type DialParts, dial } from './dial.ts';
import { exchange, framingOf, passedOn, say } from './exchange.ts';
import { authorityOf, canonicalHost, type Destination, readAuthority } from './host-name.ts';
import { joinTunnel } from './tunnel.ts';

/** A way between two ends that say nothing for so long is closed; models may think for minutes before they say anything. */
export const IDLE_MS = 30 * 60_000;
/** Connections of one egress at a time; further ones are closed at once. */
export const MOST_CONNECTIONS = 512;

/** How long a client that was answered for the last time may keep its end open. */
const FAREWELL_MS = 5_000;

export interface ForwardProxyParts extends DialParts {
  readonly isAllowed: AllowList;
  readonly onRefused: (host: string) => void;
}

/** The HTTP proxy that programs within the walls use: tunnels by `CONNECT`, plain HTTP by whole addresses. Not listening yet. */
export function forwardProxy(parts: ForwardProxyParts): Server {
  /** Connections with an answer under way. */
  const busy = new WeakSet<Duplex>();
  const server = createServer(
    { maxHeaderSize: 32 * 1024, headersTimeout: 30_000, requestTimeout: 0, keepAliveTimeout: 60_000, noDelay: true },
    (request, response) => {
      busy.add(request.socket);
      response.once('close', () => busy.delete(request.socket));
      plainRequest(parts, request, response).catch(() => response.destroy());
    },
  );
  server.maxConnections = MOST_CONNECTIONS;
  server.setTimeout(IDLE_MS);
  server.on('connect', (request, duplex, head) => {
    const near = duplex as Socket;
    near.on('error', () => near.destroy());
    near.setTimeout(IDLE_MS, () => near.destroy());
    // No client asks for a tunnel before it has its last answer; both would write to the same connection.
    if (busy.has(near)) near.destroy();
    else connectRequest(parts, { target: request.url ?? '', near, head }).catch(() => near.destroy());
  });
  server.on('clientError', (error, socket) => {
    if (socket.writable) endWith(socket, 'code' in error && error.code === 'HPE_HEADER_OVERFLOW' ? 431 : 400, '');
    else socket.destroy();
  });
  return server;
}

async function connectRequest(
  parts: ForwardProxyParts,
  { target, near, head }: { target: string; near: Socket; head: Buffer },
): Promise<void> {
  const gone = new AbortController();
  near.once('close', () => gone.abort());
  const destination = readAuthority(target);
  if (destination === undefined) return endWith(near, 400, 'CONNECT takes a host and a port.');
  const permission = parts.isAllowed(destination);
  if (permission === 'refused') return endWith(near, 403, refuse(parts, destination));
  const dialled = await dial(parts, destination, { permission, signal: gone.signal });
  if (dialled.kind === 'failed') return endWith(near, 502, dialled.why);
  if (dialled.kind === 'private') return endWith(near, 403, refuse(parts, destination, dialled.address));
  const far = dialled.socket;
  if (near.destroyed) return void far.destroy();
  near.write('HTTP/1.1 200 Connection established\r\n\r\n');
  joinTunnel({
    near,
    head,
    far,
    host: destination.host,
    onOtherName: (name) =>
      parts.onRefused(`${name ?? 'a host that it does not name readably'}, by way of ${authorityOf(destination)}`),
  });
}

async function plainRequest(
  parts: ForwardProxyParts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = readPlainUrl(request.url ?? '');
  if (url === undefined) {
    return say(
      response,
      400,
      'This is a proxy: it takes whole http addresses without a user, and CONNECT for all else.',
    );
  }
  const { destination } = url;
  const permission = parts.isAllowed(destination);
  if (permission === 'refused') return say(response, 403, refuse(parts, destination));
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const way = await plainWay(parts, url, { permission, signal: gone.signal });
  if (way.kind === 'failed') return say(response, 502, way.why);
  if (way.kind === 'private') return say(response, 403, refuse(parts, destination, way.address));
  exchange({
    request,
    response,
    onward: () =>
      (way.isSecure ? httpsRequest : httpRequest)({
        ...way.options,
        method: request.method,
        headers: {
          ...passedOn(request.rawHeaders, ['host']),
          ...framingOf(request),
          ...way.headers,
          host: url.host,
          connection: 'close',
        },
      }),
    onFailure: (error) => say(response, 502, `${url.host} broke off: ${codeOf(error)}`),
  });
}

interface PlainUrl {
  readonly destination: Destination;
  readonly host: string;
  readonly path: string;
}

function readPlainUrl(text: string): PlainUrl | undefined {
  const url = /^http:\/\//i.test(text) ? URL.parse(text) : null;
  if (url === null || url.username !== '' || url.password !== '') return undefined;
  const host = canonicalHost(url.hostname);
  if (host === undefined) return undefined;
  return { destination: { host, port: Number(url.port) || 80 }, host: url.host, path: `${url.pathname}${url.search}` };
}

/** How a plain request gets there: on a connection of its own, or through the company's proxy with the whole address. */
async function plainWay(
  parts: ForwardProxyParts,
  { destination, host, path }: PlainUrl,
  { permission, signal }: { permission: Exclude<Permission, 'refused'>; signal: AbortSignal },
) {
  const proxy = parts.proxies(destination, 'http');
  const found = await allowedAddresses(parts, destination, { permission, isOnlyChecked: proxy !== undefined });
  if (found.kind !== 'addresses') return found;
  if (proxy !== undefined) {
    const options = { host: proxy.host, port: proxy.port, path: `http://${host}${path}`, agent: false as const };
    return { kind: 'way', isSecure: proxy.isSecure, options, headers: authorizationFor(proxy) } as const;
  }
  try {
    const socket = await connectTo(found.addresses, destination.port, signal);
    return { kind: 'way', isSecure: false, options: { path, createConnection: () => socket }, headers: {} } as const;
  } catch (error) {
    return { kind: 'failed', why: `${host} cannot be reached: ${codeOf(error)}` } as const;
  }
}

function refuse({ onRefused }: ForwardProxyParts, destination: Destination, address?: string): string {
  const name = authorityOf(destination);
  onRefused(address === undefined ? name : `${name}, which leads to ${address}`);
  return address === undefined
    ? `The sandbox of this run does not let ${name} be reached.`
    : `The sandbox of this run does not let ${name} be reached, since it leads to an address that is not public.`;
}

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  403: 'Forbidden',
  431: 'Request Header Fields Too Large',
  502: 'Bad Gateway',
};

function endWith(socket: Duplex, status: number, text: string): void {
  const body = `${text}\n`;
  socket.resume();
  (socket as Socket).setTimeout(FAREWELL_MS, () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} ${REASONS[status]}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
