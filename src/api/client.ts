import { request as httpRequest, type IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { Event } from '../domain/event.ts';
import { SwitchyardError } from '../lib/error.ts';
import { tryJson } from '../lib/try-json.ts';
import { type RequestOf, type ResponseOf, type RouteName, routes } from './routes.ts';
import { Failure } from './schemas/server.ts';
import { EVENTS_PATH, type EventsQuery } from './stream.ts';

/** Where a server listens: a unix socket, or an address with a token. */
export type ServerAddress = { readonly socket: string } | { readonly url: string; readonly token?: string };

/** Parameters that stand in a route's path. */
export interface PathValues {
  readonly run?: string;
  readonly name?: string;
}

/**
 * The typed client. `call` answers a route; a failure that the server reports is thrown as the same SwitchyardError, an
 * unreachable server as `daemon/unavailable`. `events` yields until the stream ends, and ends it when the loop is left.
 */
export interface ApiClient {
  call<Name extends RouteName>(
    name: Name,
    request: RequestOf<Name>,
    path?: PathValues,
    signal?: AbortSignal,
  ): Promise<ResponseOf<Name>>;
  events(run: string, query: EventsQuery, signal?: AbortSignal): AsyncGenerator<Event, void, void>;
}

export function createClient(address: ServerAddress): ApiClient {
  return {
    async call(name, request, path = {}, signal) {
      const { method, path: template, response } = routes[name];
      const query = method === 'GET' ? queryOf(request) : '';
      const message = await send(address, {
        method,
        path: fill(template, path) + query,
        ...(method === 'POST' ? { body: JSON.stringify(request) } : {}),
        ...(signal === undefined ? {} : { signal }),
      });
      const text = await textOf(message);
      if (message.statusCode !== 200) throw failureFrom(text, message.statusCode);
      return response.parse(JSON.parse(text)) as ResponseOf<typeof name>;
    },
    async *events(run, query, signal) {
      const path =
        fill(EVENTS_PATH, { run }) +
        queryOf({ from: query.from, follow: query.follow === true ? 1 : undefined, step: query.step });
      const message = await send(address, { method: 'GET', path, ...(signal === undefined ? {} : { signal }) });
      if (message.statusCode !== 200) throw failureFrom(await textOf(message), message.statusCode);
      try {
        for await (const line of createInterface({ input: message, crlfDelay: Infinity })) {
          if (line !== '') yield Event.parse(JSON.parse(line));
        }
      } finally {
        message.destroy();
      }
    },
  };
}

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly body?: string;
  readonly signal?: AbortSignal;
}

function send(address: ServerAddress, { method, path, body, signal }: Sent): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers: Record<string, string> = { accept: 'application/json', host: 'localhost' };
    if (body !== undefined) headers['content-type'] = 'application/json';
    if ('token' in address && address.token !== undefined) headers['authorization'] = `Bearer ${address.token}`;
    const options = { method, headers, ...(signal === undefined ? {} : { signal }) };
    const message =
      'socket' in address
        ? httpRequest({ ...options, socketPath: address.socket, path }, resolve)
        : httpRequest(new URL(path, address.url), options, resolve);
    message.on('error', (error) => reject(signal?.aborted === true ? error : unreachable(address, error)));
    message.end(body);
  });
}

function unreachable(address: ServerAddress, cause: unknown): SwitchyardError {
  const where = 'socket' in address ? address.socket : address.url;
  return new SwitchyardError({
    code: 'daemon/unavailable',
    message: `No Switchyard server answers at ${where}.`,
    hint: 'Start it with `switchyard server up`, and look into its daemon.log if it does not stay up.',
    retry: 'backoff',
    cause,
  });
}

function failureFrom(text: string, status: number | undefined): SwitchyardError {
  const parsed = Failure.safeParse(tryJson(text));
  if (parsed.success) return new SwitchyardError(parsed.data);
  return new SwitchyardError({
    code: 'internal/bug',
    message: `The server answered ${status ?? 'nothing'}: ${text.slice(0, 200)}`,
    hint: 'Look into daemon.log in SWITCHYARD_HOME.',
  });
}

async function textOf(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function fill(template: string, values: PathValues): string {
  return template.replace(/\{(run|name)\}/g, (_, key: 'run' | 'name') => encodeURIComponent(values[key] ?? ''));
}

function queryOf(values: Record<string, unknown>): string {
  const pairs = Object.entries(values).filter(([, value]) => value !== undefined);
  return pairs.length === 0
    ? ''
    : `?${new URLSearchParams(pairs.map(([key, value]): [string, string] => [key, String(value)])).toString()}`;
}
