import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';

/**
 * How programs within other walls come to a service: its own walls let nothing in, so it (`answer.ts`, beside it) comes out to the socket
 * `offers` and waits there; whoever connects to the socket `clients` is joined to one of those connections. Both sockets lie
 * in a folder that no walls show as a whole, so nothing within any of them can put something else in their place.
 */
export interface WayIn extends AsyncDisposable {
  /** For programs. */
  readonly clients: string;
  /** For the service alone. */
  readonly offers: string;
  /** Resolves when the service has answered on its port; never, where it does not. */
  readonly answered: Promise<void>;
}

/** More connections than these are nobody's need. */
const MOST_OFFERS = 64;
const MOST_CLIENTS = 512;
/** How long a client waits for the service to come for it. */
const PATIENCE_MS = 10_000;

/** Opens the way. `prefix` is the beginning of both sockets' paths, in a folder that is this user's alone. Disposing ends all connections. */
export async function openWayIn(prefix: string): Promise<WayIn> {
  const [clients, offers] = [`${prefix}.in`, `${prefix}.out`];
  const answered = Promise.withResolvers<void>();
  const all = new Set<Socket>();
  const offered: Socket[] = [];
  const waiting: Socket[] = [];

  const onOffer = (offer: Socket): void => {
    answered.resolve();
    if (offered.length >= MOST_OFFERS) return void offer.destroy();
    offered.push(offer);
    offer.once('close', () => removeFrom(offered, offer));
    match();
  };
  const onClient = (client: Socket): void => {
    if (waiting.length >= MOST_CLIENTS) return void client.destroy();
    waiting.push(client);
    client.setTimeout(PATIENCE_MS, () => client.destroy());
    client.once('close', () => removeFrom(waiting, client));
    match();
  };
  const match = (): void => {
    while (offered.length > 0 && waiting.length > 0) join(waiting.shift() as Socket, offered.shift() as Socket);
  };

  const servers = [await listen(clients, all, onClient), await listen(offers, all, onOffer)];
  return {
    clients,
    offers,
    answered: answered.promise,
    async [Symbol.asyncDispose]() {
      const closed = servers.map((server) => once(server, 'close'));
      for (const server of servers) server.close();
      for (const socket of all) socket.destroy();
      await Promise.all(closed);
    },
  };
}

/** The byte tells the other side that a client is there; what follows are the client's own. */
function join(client: Socket, offer: Socket): void {
  client.setTimeout(0);
  offer.write('\x01');
  for (const [from, to] of [
    [client, offer],
    [offer, client],
  ] as const) {
    from.on('close', () => from.readableEnded || to.destroy());
    from.pipe(to);
  }
}

async function listen(path: string, all: Set<Socket>, take: (socket: Socket) => void): Promise<Server> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
    all.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => all.delete(socket));
    take(socket);
  });
  server.listen(path);
  await once(server, 'listening');
  return server;
}

function removeFrom(list: Socket[], socket: Socket): void {
  const at = list.indexOf(socket);
  if (at !== -1) list.splice(at, 1);
}
