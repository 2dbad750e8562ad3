import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Stands before a server on loopback, and keeps all that clients send there. */
export interface Tap extends AsyncDisposable {
  /** The server's address, by way of here. */
  readonly url: string;
  /** Everything that was sent until now. */
  sent(): string;
}

export async function tap(url: string): Promise<Tap> {
  const target = new URL(url);
  const pieces: Buffer[] = [];
  const open = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    for (const socket of [near, far]) {
      open.add(socket);
      socket.on('error', () => socket.destroy());
      socket.once('close', () => open.delete(socket));
    }
    near.on('data', (piece: Buffer) => pieces.push(piece));
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const here = new URL(url);
  here.port = String((server.address() as AddressInfo).port);
  return {
    url: here.href,
    sent: () => Buffer.concat(pieces).toString('latin1'),
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
