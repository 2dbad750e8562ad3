import { request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { passedOn } from '../egress/exchange.ts';
import type { Credential } from './credential.ts';
import type { Forwarding } from './forward.ts';

/** Sends the request, whole, and resolves when the head of the answer is there. */
export async function send(
  forwarding: Forwarding,
  credential: Credential,
  onSent: () => void,
): Promise<{ readonly answer: IncomingMessage }> {
  const { request, url, body, onward, wire, isRewritten = false, agentFor, signal } = forwarding;
  const method = request.method ?? 'GET';
  const left = ['host', 'content-length', 'accept-encoding', 'cookie', 'forwarded', ...wire.credentialHeaders];
  const headers: OutgoingHttpHeaders = {
    ...(onward?.headers ?? passedOn(request.rawHeaders, isRewritten ? [...left, 'content-encoding'] : left)),
    host: url.host,
    // What is read on its way is not to be coded.
    'accept-encoding': 'identity',
    ...(body.length > 0 || method === 'POST' ? { 'content-length': body.length } : {}),
  };
  Object.assign(headers, await credential.authorize({ method, url, headers, body }));
  for (let isLast = false; ; isLast = true) {
    const outgoing = (url.protocol === 'http:' ? httpRequest : httpsRequest)(url, {
      method,
      headers,
      agent: agentFor(url),
      signal,
    });
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    outgoing.once('finish', onSent);
    outgoing.once('response', resolve);
    outgoing.once('upgrade', (_answer, socket) => {
      socket.destroy();
      reject(new Error('it changed to another protocol'));
    });
    outgoing.on('error', reject);
    outgoing.end(body);
    try {
      return { answer: await promise };
    } catch (error) {
      // A connection that was kept open, and that the other side had closed meanwhile.
      if (isLast || !outgoing.reusedSocket || signal.aborted) throw error;
    }
  }
}

/** Of an answer that says what went wrong. */
const LONGEST_FAILURE = 64 * 1024;

/** What a failure says, up to a bound. */
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
  return Buffer.concat(pieces).subarray(0, LONGEST_FAILURE);
}
