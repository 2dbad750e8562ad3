import { type Agent, type AgentOptions, Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { type SecureContext, connect as tlsConnect } from 'node:tls';
import { type DialParts, dial } from './dial.ts';
import { canonicalHost } from './host-name.ts';

/** Keeps connections to servers that this machine itself signs in to open between requests. Disposing ends them all. */
export interface UpstreamAgents extends Disposable {
  for(url: URL): Agent;
}

/**
 * `authorities` has the certificates that they are verified by, where those are not the usual ones; asked for when the first is needed. `most`
 * is how many connections there are to each of them at a time.
 */
export function upstreamAgents(
  parts: DialParts,
  { authorities, most }: { authorities?: (() => SecureContext) | undefined; most: number },
): UpstreamAgents {
  const gone = new AbortController();
  const pool: AgentOptions = { keepAlive: true, maxSockets: most, maxFreeSockets: most };
  const plain = new HttpAgent(pool);
  const secure = new HttpsAgent(pool);
  const connectWith = (wrap: (socket: Duplex, host: string) => Duplex): Agent['createConnection'] => {
    return (options, created) => {
      void connect(options, wrap).then(
        (socket) => created?.(null, socket),
        (error: Error) => created?.(error, undefined as unknown as Duplex),
      );
      return undefined;
    };
  };
  const connect = async (
    options: { host?: string | null | undefined; port?: string | number | null | undefined },
    wrap: (socket: Duplex, host: string) => Duplex,
  ): Promise<Duplex> => {
    const host = canonicalHost(options.host ?? '') ?? '';
    const destination = { host, port: Number(options.port) };
    const dialled = await dial(parts, destination, { permission: 'anywhere', signal: gone.signal });
    if (dialled.kind === 'connected') return wrap(dialled.socket, host);
    throw new Error(dialled.kind === 'failed' ? dialled.why : `${host} cannot be reached`);
  };
  plain.createConnection = connectWith((socket) => socket);
  secure.createConnection = connectWith((socket, host) =>
    tlsConnect({
      socket,
      host,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...(authorities === undefined ? {} : { secureContext: authorities() }),
    }),
  );
  return {
    for: ({ protocol }) => (protocol === 'http:' ? plain : secure),
    [Symbol.dispose]() {
      gone.abort();
      plain.destroy();
      secure.destroy();
    },
  };
}
