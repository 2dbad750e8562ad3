import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http';
import { request as httpsRequest } from 'node:https';
import { codeOf } from './dial.ts';
import { exchange, framingOf, passedOn, say, sendBack } from './exchange.ts';
import { IDLE_MS, MOST_CONNECTIONS } from './forward-proxy.ts';
import { type NpmPlaces, npmRoute } from './npm-route.ts';
import type { UpstreamAgents } from './upstream-agents.ts';

/**
 * The npm registry that programs within the walls see: this machine's own registries, with the credentials that belong there added on the
 * way. What programs send as credentials is left out. Not listening yet.
 */
export function npmProxy(places: NpmPlaces, agents: UpstreamAgents): Server {
  const server = createServer({ maxHeaderSize: 32 * 1024, requestTimeout: 0, noDelay: true }, (request, response) => {
    handle(places, agents, { request, response });
  });
  server.maxConnections = MOST_CONNECTIONS;
  server.setTimeout(IDLE_MS);
  return server;
}

function handle(
  places: NpmPlaces,
  agents: UpstreamAgents,
  { request, response }: { request: IncomingMessage; response: ServerResponse },
): void {
  const route = npmRoute(places, { method: request.method ?? '', target: request.url ?? '' });
  if (route.kind === 'refused') return say(response, 403, route.why);
  const { url, authorization } = route;
  const headers = {
    ...passedOn(request.rawHeaders, ['host', 'authorization', 'cookie', 'npm-otp']),
    ...framingOf(request),
    host: url.host,
    ...(authorization === undefined ? {} : { authorization }),
  };
  exchange({
    request,
    response,
    onward: () =>
      (url.protocol === 'http:' ? httpRequest : httpsRequest)(url, {
        method: request.method,
        agent: agents.for(url),
        headers,
      }),
    onFailure: (error) => say(response, 502, `The registry ${url.host} cannot be reached: ${codeOf(error)}`),
    answer: (answer) =>
      sendBack(answer, response, { without: ['set-cookie', 'location'], headers: locationOf(answer, url) }),
  });
}

/** Redirects within the registry come back to us; the client follows others by itself, without our credential. */
function locationOf(answer: IncomingMessage, asked: URL): OutgoingHttpHeaders {
  const { location } = answer.headers;
  const url = location === undefined ? null : URL.parse(location, asked.href);
  if (url === null) return {};
  return { location: url.origin === asked.origin ? `${url.pathname}${url.search}` : url.href };
}
