import { type Agent, type AgentOptions, Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as tlsConnect } from 'node:tls';
import { type DialParts, dial } from './dial.ts';
import { canonicalHost } from './host-name.ts';

/** Keeps connections to the registries of this machine open between requests. Disposing ends them all. */
export interface RegistryAgents extends Disposable {
  for(url: URL): Agent;
}

/** `authorities` are the certificates that registries are verified by, where they are not the usual ones. */
export function registryAgents(parts: DialParts, authorities: string | undefined): RegistryAgents {
  const gone = new AbortController();
  const plain = new HttpAgent(POOL);
  const secure = new HttpsAgent(POOL);
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
      ...(authorities === undefined ? {} : { ca: authorities }),
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

/** As many at a time as npm itself opens to a registry. */
const POOL: AgentOptions = { keepAlive: true, maxSockets: 15, maxFreeSockets: 15 };
