import { type ClientRequest, request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Clock } from '../../lib/clock.ts';
import { codeOf } from '../egress/dial.ts';
import { passedOn } from '../egress/exchange.ts';
import type { Credential } from './credential.ts';
import type { Forwarding } from './forward.ts';
import { unpacked } from './request-body.ts';
import { NOTHING_WITHHELD, type Withheld, withheldOf } from './withheld.ts';

/** How far a request has come, for whoever hears that it came to nothing. */
export class Sending {
  /** When all of it had gone to the upstream, which may have worked on it since then. */
  sentAt: number | undefined;
  /** What was added for the upstream alone. */
  withheld: Withheld = NOTHING_WITHHELD;
}

/** Sends the request, whole, and resolves when the head of the answer is there. */
export async function send(
  forwarding: Forwarding,
  credential: Credential,
  sending: Sending,
): Promise<{ readonly answer: IncomingMessage }> {
  const { request, url, body, onward, wire, isRewritten = false, agentFor, clock, signal } = forwarding;
  const method = request.method ?? 'GET';
  const left = ['host', 'content-length', 'accept-encoding', 'cookie', 'forwarded', ...wire.credentialHeaders];
  const headers: OutgoingHttpHeaders = {
    ...(onward?.headers ?? passedOn(request.rawHeaders, isRewritten ? [...left, 'content-encoding'] : left)),
    host: url.host,
    // What is read on its way is not to be coded.
    'accept-encoding': 'identity',
    ...(body.length > 0 || method === 'POST' ? { 'content-length': body.length } : {}),
  };
  const added = await unlessAborted(credential.authorize({ method, url, headers, body }), signal);
  sending.withheld = withheldOf(credential, headers, added);
  Object.assign(headers, added);
  for (let isLast = false; ; isLast = true) {
    const outgoing = (url.protocol === 'http:' ? httpRequest : httpsRequest)(url, {
      method,
      headers,
      agent: agentFor(url),
      signal,
    });
    sending.sentAt = undefined;
    outgoing.once('finish', () => {
      sending.sentAt = clock.now();
    });
    try {
      return { answer: await answered(outgoing, body) };
    } catch (error) {
      if (isLast || signal.aborted || !outgoing.reusedSocket || !wasClosed(error, sending, clock)) throw error;
    }
  }
}

/** Whether the other side had closed a connection that was kept open: that shows soon, or before all was sent. */
function wasClosed(error: unknown, { sentAt }: Sending, clock: Clock): boolean {
  return CLOSED.has(codeOf(error)) && (sentAt === undefined || clock.now() - sentAt < SOON_MS);
}

const CLOSED: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE']);
/** What comes later may have been worked on until then. */
const SOON_MS = 1_000;

async function answered(outgoing: ClientRequest, body: Buffer): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  outgoing.once('response', resolve);
  outgoing.once('upgrade', (_answer, socket) => {
    socket.destroy();
    reject(new Error('it changed to another protocol'));
  });
  outgoing.on('error', reject);
  outgoing.end(body);
  return promise;
}

/** Rejects when the signal aborts, whatever comes of the work then. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const give = (): void => reject(new Error('it was given up'));
  signal.addEventListener('abort', give);
  if (signal.aborted) give();
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', give);
  }
}

/** Of an answer that says what went wrong. */
const LONGEST_FAILURE = 64 * 1024;
const LONGEST_UNPACKED = 2 ** 20;

/** What a failure says, up to a bound; nothing where it is packed in a way that cannot be read. */
export async function readFailure(answer: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  try {
    for await (const piece of answer as AsyncIterable<Buffer>) {
      pieces.push(piece);
      length += piece.length;
      if (length > LONGEST_FAILURE) break;
    }
  } catch {
    // What has come says enough.
  }
  const said = await unpacked(Buffer.concat(pieces), answer.headers['content-encoding'], LONGEST_UNPACKED);
  return (said ?? Buffer.alloc(0)).subarray(0, LONGEST_FAILURE);
}
