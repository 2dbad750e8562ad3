import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';

/** Names and values by turns, as `rawHeaders` are. */
export type RawHeaders = readonly string[];

/** What belongs to one connection alone, and what only this proxy is to read. */
const OF_CONNECTION = new Set([
  'connection',
  'expect',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Headers without those of the connection, those that `Connection` names included, and without those named. */
export function passedOn(headers: RawHeaders, without: readonly string[] = []): OutgoingHttpHeaders {
  const left = new Set([...OF_CONNECTION, ...without, ...namedByConnection(headers)]);
  const passed: Record<string, string | string[]> = Object.create(null) as Record<string, string | string[]>;
  for (const [name, value] of pairs(headers)) {
    const key = name.toLowerCase();
    if (left.has(key)) continue;
    const known = passed[key];
    passed[key] = known === undefined ? value : [known, value].flat();
  }
  return passed;
}

/** How the body of a request is framed; Node has refused a request that says it in two ways. */
export function framingOf(request: IncomingMessage): OutgoingHttpHeaders {
  return request.headers['transfer-encoding'] === undefined ? {} : { 'transfer-encoding': 'chunked' };
}

export function hasBody(request: IncomingMessage): boolean {
  return request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;
}

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Makes the request onward, not yet ended. */
  readonly onward: () => ClientRequest;
  /** What is answered when it fails, without a credential. */
  readonly onFailure: (error: Error) => void;
  /** Sends the answer's head and body on; without it, as they are. */
  readonly answer?: (answer: IncomingMessage) => void;
}

/**
 * Sends a request on and streams its answer back; an answer that cannot be passed on, such as one with a status that is none, is a failure. A connection that was kept open, and that the other side had closed meanwhile, is tried
 * again once where there is no body. A client that goes ends the request onward.
 */
export function exchange({ request, response, onward, onFailure, answer }: Exchange): void {
  const isRepeatable = !hasBody(request);
  const passBack = (incoming: IncomingMessage): void => sendBack(incoming, response, {});
  const send = (isLast: boolean): void => {
    const outgoing = onward();
    const abandon = (): void => void outgoing.destroy();
    response.once('close', abandon);
    outgoing.once('response', (incoming) => {
      try {
        (answer ?? passBack)(incoming);
      } catch (error) {
        outgoing.destroy(error as Error);
      }
    });
    outgoing.once('upgrade', (_incoming, socket) => {
      socket.destroy();
      onFailure(new Error('it changed to another protocol that nobody asked for'));
    });
    outgoing.on('error', (error) => {
      if (response.destroyed) return;
      if (response.headersSent) {
        response.destroy();
      } else if (outgoing.reusedSocket && isRepeatable && !isLast) {
        response.off('close', abandon);
        send(true);
      } else {
        onFailure(error);
      }
    });
    if (isRepeatable) outgoing.end();
    else request.pipe(outgoing);
  };
  request.on('error', () => undefined);
  try {
    send(false);
  } catch (error) {
    onFailure(error as Error);
  }
}

/** Passes an answer on, without some of its headers, and with others instead. */
export function sendBack(
  incoming: IncomingMessage,
  response: ServerResponse,
  { without = [], headers = {} }: { without?: readonly string[]; headers?: OutgoingHttpHeaders },
): void {
  const passed = { ...passedOn(incoming.rawHeaders, without), ...headers };
  // In our own words: whatever bytes a server may send as its reason, not all could be passed on.
  response.writeHead(incoming.statusCode ?? 502, passed);
  pipeline(incoming, response, () => undefined);
}

/** Answers in plain words. */
export function say(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' });
  response.end(`${text}\n`);
}

function namedByConnection(headers: RawHeaders): string[] {
  return pairs(headers).flatMap(([name, value]) =>
    name.toLowerCase() === 'connection' ? value.split(',').map((word) => word.trim().toLowerCase()) : [],
  );
}

function pairs(headers: RawHeaders): [string, string][] {
  return Array.from({ length: headers.length / 2 }, (_, at) => [headers[2 * at] ?? '', headers[2 * at + 1] ?? '']);
}
