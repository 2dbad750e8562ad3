import { connect, createServer, type Server, type Socket } from 'node:net';

/** A server, not listening yet, whose connections each lead to that socket. A side that has ended still hears the other. */
export function bridgeServer(socket: string): Server {
  return createServer({ allowHalfOpen: true }, (client) =>
    join(client, connect({ path: socket, allowHalfOpen: true })),
  );
}

function join(client: Socket, target: Socket): void {
  for (const [from, to] of [
    [client, target],
    [target, client],
  ] as const) {
    from.pipe(to);
    from.on('error', () => to.destroy());
    from.once('close', () => to.destroySoon());
  }
}
