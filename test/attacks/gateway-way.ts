import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { type AddressInfo, connect, createServer as createSocketServer, type Server as SocketServer } from 'node:net';
import { join } from 'node:path';
import type { AgentEntry } from '../../src/domain/agent-entry.ts';
import { createModelGateway, type ModelGateway } from '../../src/gateway/model/gateway.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { randomIds } from '../../src/lib/ids.ts';
import type { Egress } from '../../src/ports/egress.ts';
import type { ModelMeter } from '../../src/ports/model-gateway.ts';
import type { Stage } from './stage.ts';

/** A request as it came to a provider. */
export interface Arrived {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export type Answers = (arrived: Arrived, response: ServerResponse) => void | Promise<void>;

/** Who answers as a provider of models does, or worse; on loopback. */
export interface Provider extends AsyncDisposable {
  readonly port: number;
  readonly arrived: readonly Arrived[];
}

export const HELLO = 'Hello from the model';
export const USAGE = { input_tokens: 1000, output_tokens: 50, total_tokens: 1050 };

export const answersKindly: Answers = (_arrived, response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ model: 'known', output: [{ content: [{ text: HELLO }] }], usage: USAGE }));
};

/** Takes what others would not: what comes to it is all that anybody let through. */
export async function provider(answers: Answers = answersKindly): Promise<Provider> {
  const arrived: Arrived[] = [];
  const server = createServer({ insecureHTTPParser: true }, (request, response) => {
    response.on('error', () => undefined);
    void bodyOf(request).then(async (body) => {
      const one = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body };
      arrived.push(one);
      await answers(one, response);
    });
  });
  server.on('upgrade', (request, socket) => {
    arrived.push({ method: 'UPGRADE', path: request.url ?? '', headers: request.headers, body: '' });
    socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  });
  const port = await listening(server);
  return { port, arrived, [Symbol.asyncDispose]: () => closed(server) };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece);
  return Buffer.concat(pieces).toString('latin1');
}

/** What an agent has of its way to its model. */
export interface Way extends AsyncDisposable {
  readonly egress: Egress;
  /** Where it is found, on the loopback that the agent sees. */
  readonly port: number;
  readonly token: string;
  /** What was refused, as the meter was told. */
  readonly refusals: readonly string[];
}

export interface WayOptions {
  readonly endpoint?: Partial<NonNullable<AgentEntry['endpoint']>>;
  readonly meter?: Partial<ModelMeter>;
}

/** The gateway as the daemon makes it; its key is the stage's secret. */
export function gatewayOf(stage: Stage): ModelGateway {
  return createModelGateway({
    folder: join(stage.home, 'sockets'),
    hostEnv: { MODEL_KEY: stage.secret },
    price: () => undefined,
    clock: systemClock,
    ids: randomIds,
  });
}

const PORT = 4180;

export async function openWay(
  stage: Stage,
  { gateway, to }: { gateway: ModelGateway; to: Provider },
  { endpoint = {}, meter = {} }: WayOptions = {},
): Promise<Way> {
  const refusals: string[] = [];
  const entry: AgentEntry = {
    kind: 'custom',
    env: {},
    args: [],
    endpoint: { api: 'responses', baseUrl: `http://127.0.0.1:${to.port}/v1`, key: { env: 'MODEL_KEY' }, ...endpoint },
  };
  const hears: ModelMeter = {
    admit: async () => ({ kind: 'admitted' }),
    admitFree: async () => ({ kind: 'admitted' }),
    used: () => undefined,
    ended: () => undefined,
    paused: () => undefined,
    exhausted: () => undefined,
    refused: (text) => void refusals.push(text),
    ...meter,
  };
  const way = await gateway.open({ entry, bridgedPort: stage.walls.boundsNetwork ? PORT : undefined, meter: hears });
  if (way === undefined) throw new Error('the gateway carries no such agent');
  const { bridges, env } = way;
  return {
    egress: { bridges, env: {}, [Symbol.asyncDispose]: () => Promise.resolve() },
    port: Number(new URL(way.entry.endpoint?.baseUrl ?? '').port),
    token: env['MODEL_KEY'] ?? '',
    refusals,
    [Symbol.asyncDispose]: () => way[Symbol.asyncDispose](),
  };
}

/** Puts the key in place of any token that begins like one of the gateway's, and leads all bytes to the provider. */
export async function carelessPipe(stage: Stage, to: Provider): Promise<Way> {
  const sockets = new Set<{ destroy(): void }>();
  const server = createSocketServer((client) => {
    const onward = connect(to.port, '127.0.0.1');
    for (const socket of [client, onward]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
    }
    client.on('data', (piece: Buffer) => {
      const said = piece.toString('latin1').replaceAll(/switchyard-[\w-]+/g, stage.secret);
      // What is in a path becomes what it means.
      onward.write(said.replaceAll(/%0d%0a/gi, '\r\n'), 'latin1');
    });
    client.on('end', () => onward.end());
    onward.pipe(client);
  });
  return carelessWay(server, sockets);
}

/** Goes wherever a request, or an answer to it, says. */
export async function carelessProxy(stage: Stage, to: Provider): Promise<Way> {
  const server = createServer((request, response) => {
    const { method = 'GET', url = '/' } = request;
    const target = url.startsWith('/') ? `http://127.0.0.1:${to.port}${url}` : url;
    void bodyOf(request)
      .then((body) =>
        fetch(target, {
          method,
          headers: { authorization: `Bearer ${stage.secret}` },
          ...(method === 'GET' ? {} : { body }),
        }),
      )
      .then(async (answer) => response.end(await answer.text()))
      .catch(() => response.destroy());
  });
  const sockets = new Set<{ destroy(): void }>();
  server.on('connect', (request, client) => {
    const onward = connect(Number(new URL(`http://${request.url ?? ''}`).port), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      client.pipe(onward).pipe(client);
    });
    sockets.add(onward);
    for (const socket of [client, onward]) socket.on('error', () => undefined);
  });
  server.on('upgrade', (request, client) => {
    const onward = connect(to.port, '127.0.0.1', () => {
      onward.write(`GET ${request.url ?? ''} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
      onward.pipe(client);
    });
    sockets.add(onward);
    for (const socket of [client, onward]) socket.on('error', () => undefined);
  });
  return carelessWay(server, sockets);
}

/** Where nobody is walled in: there it is a port of the machine's loopback. */
export async function carelessWay(
  server: Server | SocketServer,
  sockets: ReadonlySet<{ destroy(): void }> = new Set(),
): Promise<Way> {
  const port = await listening(server);
  return {
    egress: { bridges: [], env: {}, [Symbol.asyncDispose]: () => Promise.resolve() },
    port,
    token: 'switchyard-anything',
    refusals: [],
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await closed(server);
    },
  };
}

async function listening(server: Server | SocketServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function closed(server: Server | SocketServer): Promise<void> {
  const ended = new Promise((resolve) => server.close(resolve));
  if ('closeAllConnections' in server) server.closeAllConnections();
  await ended;
}
