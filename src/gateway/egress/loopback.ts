import { createServer, type Server } from 'node:net';
import { connectTo } from './dial.ts';
import { IDLE_MS, MOST_CONNECTIONS } from './forward-proxy.ts';
import { joinSockets } from './join-sockets.ts';

/** Leads each connection to a port of this machine's loopback; one that cannot be made is closed. Not listening yet. */
export function loopbackForward(port: number): Server {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    const gone = new AbortController();
    near.on('error', () => near.destroy());
    near.once('close', () => gone.abort());
    near.setTimeout(IDLE_MS, () => near.destroy());
    connectTo(['127.0.0.1', '::1'], port, gone.signal).then(
      (far) => (near.destroyed ? void far.destroy() : joinSockets(near, far)),
      () => near.destroy(),
    );
  });
  server.maxConnections = MOST_CONNECTIONS;
  return server;
}
