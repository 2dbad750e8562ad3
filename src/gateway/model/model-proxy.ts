import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { OneAtATime } from '../../lib/one-at-a-time.ts';
import type { ModelMeter } from '../../ports/model-gateway.ts';
import { hasBody } from '../egress/exchange.ts';
import { forwardCarried } from './carried.ts';
import { fail } from './fail.ts';
import { type Forwarding, forward, type Upstreams } from './forward.ts';
import { modelsNamedIn } from './named-models.ts';
import { atTier, dearerTier, isUnpriced } from './price-of-call.ts';
import { jsonOf, LARGEST_REQUEST, readBody } from './request-body.ts';
import { estimateOf, NO_REQUEST, ReadBefore } from './request-estimate.ts';
import { routed } from './route.ts';
import { isToken } from './token.ts';
import type { Problem, Wire } from './wire.ts';

export interface ModelProxyParts extends Omit<Upstreams, 'readBefore'> {
  readonly wire: Wire;
  /** The upstream's base address. */
  readonly base: URL;
  readonly token: string;
  /** Names of models that may be asked for, `*` standing for anything; all where there are none. */
  readonly models: readonly string[] | undefined;
  readonly meter: ModelMeter;
}

/** Requests of one attempt that are under way at a time: as many as an agent with all its helpers asks for. */
const MOST_REQUESTS = 32;
const MOST_CONNECTIONS = 128;
/** Bytes of such requests that are held at a time, since a request is sent on whole. */
const MOST_HELD = 3 * LARGEST_REQUEST;
/** A request whose body has not come within so long is given up. */
const SLOWEST_REQUEST_MS = 120_000;

export interface ModelProxy {
  /** Not listening yet. */
  readonly server: Server;
  /** Resolves when the meter has been told all of each request that came. Whatever is under way goes on until its connection ends. */
  readonly untilTold: () => Promise<void>;
}

/** The server that one attempt's agent takes for its model. */
export function modelProxy(parts: ModelProxyParts): ModelProxy {
  const underWay = new Set<Promise<void>>();
  let open = 0;
  const inside: Inside = { held: 0, reading: new OneAtATime() };
  const readBefore = new ReadBefore();
  const server = createServer(
    {
      maxHeaderSize: 32 * 1024,
      headersTimeout: 30_000,
      requestTimeout: SLOWEST_REQUEST_MS,
      keepAliveTimeout: 60_000,
      noDelay: true,
    },
    (request, response) => {
      if (open >= MOST_REQUESTS) {
        return fail(parts, response, {
          status: 429,
          kind: 'rate-limit',
          message: `${MOST_REQUESTS} requests of this agent are under way.`,
        });
      }
      open += 1;
      response.once('close', () => {
        open -= 1;
      });
      const handled = handle({ ...parts, inside, readBefore }, request, response)
        .catch(() => void response.destroy())
        .finally(() => underWay.delete(handled));
      underWay.add(handled);
    },
  );
  server.maxConnections = MOST_CONNECTIONS;
  server.on('connect', (_request, socket) => turnAway(parts, socket, 'a tunnel'));
  server.on('upgrade', (_request, socket) => turnAway(parts, socket, 'another protocol'));
  server.on('clientError', (_error, duplex) => {
    const socket = duplex as Socket;
    // After an answer, what cannot be read is no request.
    if (socket.writable && socket.bytesWritten === 0) socket.end(BAD_REQUEST);
    else socket.destroy();
  });
  return { server, untilTold: async () => void (await Promise.all(underWay)) };
}

/** What the requests of one attempt share. */
interface Inside {
  /** Bytes of bodies. */
  held: number;
  /** What is in a body is found out for one at a time, so that nobody else has to wait for many. */
  readonly reading: OneAtATime;
}

interface Handling extends ModelProxyParts, Upstreams {
  readonly inside: Inside;
}

/** Takes room for a request until it is over. Tells whether there was some. */
function holder(inside: Inside, response: ServerResponse): (bytes: number) => boolean {
  let own = 0;
  response.once('close', () => {
    inside.held -= own;
    own = 0;
  });
  return (bytes) => {
    if (response.closed || inside.held + bytes > MOST_HELD) return false;
    own += bytes;
    inside.held += bytes;
    return true;
  };
}

async function handle(parts: Handling, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { wire, carrier, base, token, meter } = parts;
  const method = request.method ?? '';
  if (!isToken(wire.tokenOf(request.headers), token)) {
    meter.refused('A request to the model came without the token of this attempt.');
    return fail(parts, response, {
      status: 401,
      kind: 'auth',
      message: 'This way to the model belongs to another attempt.',
    });
  }
  const where = routed(wire, base, { method, target: request.url ?? '' });
  if (where.kind === 'refused') {
    meter.refused(`A request to the model was refused: ${where.why}`);
    return fail(parts, response, { status: 403, kind: 'refused', message: where.why });
  }
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const hold = holder(parts.inside, response);
  const read = hasBody(request) ? await readBody(request, hold) : ({ kind: 'body', bytes: Buffer.alloc(0) } as const);
  if (read.kind === 'gone') return void response.destroy();
  if (read.kind === 'no-room') return fail(parts, response, NO_ROOM);
  if (read.kind === 'too-large') {
    meter.refused('A request to the model was refused: it was too large.');
    return fail(parts, response, { status: 413, kind: 'too-large', message: 'The request is too large.' });
  }
  const { route, url, path } = where;
  const forwarding = { ...parts, request, response, url, signal: gone.signal };
  const sendOn = (onward: Forwarding): Promise<void> =>
    carrier === undefined ? forward(onward) : forwardCarried(onward, carrier, path);
  if (route.kind === 'free') return sendOn({ ...forwarding, body: read.bytes, ...UNCOUNTED });
  const asked = await parts.inside.reading.run('', () =>
    askedFor(parts, { request, bytes: read.bytes, pathModel: route.model }),
  );
  if (asked.kind === 'asked' && !hold(Math.max(0, asked.body.length - read.bytes.length)))
    return fail(parts, response, NO_ROOM);
  if (asked.kind === 'refused') {
    meter.refused(`A request to the model was refused: ${asked.why}`);
    return fail(parts, response, { status: 403, kind: 'refused', message: asked.why });
  }
  return sendOn({ ...forwarding, ...asked, isCounted: true });
}

const UNCOUNTED = { model: undefined, estimate: NO_REQUEST, isCounted: false };

const NO_ROOM: Problem = {
  status: 429,
  kind: 'rate-limit',
  message: 'The requests of this agent that are under way are too large together.',
};

type Asked =
  | ({ readonly kind: 'asked' } & Pick<Forwarding, 'body' | 'model' | 'tier' | 'estimate' | 'isRewritten'>)
  | { readonly kind: 'refused'; readonly why: string };

/** What a body asks for. One that has been read is sent on as it was read where that matters: two readers may differ over the same bytes. */
async function askedFor(
  { wire, models, price, readBefore }: Handling,
  { request, bytes, pathModel }: { request: IncomingMessage; bytes: Buffer; pathModel: string | undefined },
): Promise<Asked> {
  const read = await jsonOf(bytes, request.headers['content-encoding']);
  if (read === undefined) return { kind: 'refused', why: 'Its body cannot be read as an object of JSON.' };
  const { json, length } = read;
  const model = pathModel ?? wire.modelOf(json);
  const tier = wire.tierOf(json);
  const why = whyNot({ wire, models, price }, json, { model, tier });
  if (why !== undefined) return { kind: 'refused', why };
  const rewritten = wire.askingForUsage?.(json) ?? (models === undefined ? undefined : json);
  const body = rewritten === undefined ? bytes : Buffer.from(JSON.stringify(rewritten));
  const estimate = estimateOf(json, { bytes: length, readBefore: readBefore.of(model) });
  return { kind: 'asked', body, model, tier, estimate, isRewritten: rewritten !== undefined };
}

function whyNot(
  { wire, models, price }: Pick<ModelProxyParts, 'wire' | 'models' | 'price'>,
  json: Readonly<Record<string, unknown>>,
  { model, tier: asked }: { readonly model: string | undefined; readonly tier: string | undefined },
): string | undefined {
  // Nobody could count it, nor stop it: it goes on when the connection has ended.
  if (wire.api === 'responses' && json['background'] === true) return 'It asks for an answer in the background.';
  if (model !== undefined && model.length > LONGEST_NAME)
    return `The name of its model has ${model.length} characters.`;
  const tier = dearerTier(asked);
  if (model !== undefined && tier !== undefined && isUnpriced(price, model, tier))
    return `It asks for the dearer tier ${tier} of ${model}, whose price nobody knows: write one for ${JSON.stringify(atTier(model, tier))} into \`prices\` of config.yaml.`;
  if (models === undefined) return undefined;
  const named = [model ?? '', ...modelsNamedIn(json).map((name) => (wire.api === 'gemini' ? inPath(name) : name))];
  if (named.length > MOST_NAMES) return `It names ${named.length} models.`;
  const isOther = (name: string) => name.length > LONGEST_NAME || !models.some((pattern) => matches(pattern, name));
  const other = model === undefined ? '' : named.find(isOther);
  if (other === undefined) return undefined;
  return `The model ${JSON.stringify(other.slice(0, LONGEST_NAME))} is not among those that this agent may use (\`endpoint.models\` in config.yaml).`;
}

/** Gemini's name for a model, of its resource. */
const inPath = (resource: string): string => resource.replace(/^models\//, '');

const MOST_NAMES = 100;

/** No model's name is longer. */
const LONGEST_NAME = 200;

function matches(pattern: string, model: string): boolean {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join('.*')}$`).test(model);
}

function turnAway({ meter }: ModelProxyParts, socket: Duplex, what: string): void {
  meter.refused(`A request to the model was refused: it asked for ${what}.`);
  socket.on('error', () => socket.destroy());
  socket.end(BAD_REQUEST);
}

const BAD_REQUEST = 'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';
