import { connect, type Socket } from 'node:net';

/**
 * A program of its own, which runs beside a service within its walls: waits until the service answers on its port, then keeps a few
 * connections open to the harness. Each is for one client: when the harness writes a byte to it, it becomes that client's connection to the
 * service. Ends when the harness does.
 *
 * Arguments: the loopback port behind which the harness waits, and the service's. It imports nothing of the project: nothing else
 * of it need be visible.
 */

/** So many clients can come at once without waiting for a new connection. */
const IDLE = 4;
const LOOPBACKS = ['127.0.0.1', '::1'];

const [harness = 0, service = 0] = process.argv.slice(2).map(Number);

const host = await answering();
for (let n = 0; n < IDLE; n++) offer();

/** The loopback address on which the service listens, once it does. */
async function answering(): Promise<string> {
  for (let pause = 10; ; pause = Math.min(250, pause * 1.5)) {
    for (const address of LOOPBACKS) {
      const socket = await connected(address, service);
      socket?.destroy();
      if (socket !== undefined) return address;
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

/** Keeps one connection ready; when it is taken, another one takes its place. */
function offer(): void {
  void reached().then((offered) => {
    const gone = () => process.exit(0);
    offered.once('close', gone);
    offered.once('data', (chunk: Buffer) => {
      offered.removeListener('close', gone);
      offered.pause();
      if (chunk.length > 1) offered.unshift(chunk.subarray(1));
      offer();
      join(offered);
    });
  });
}

/** The way to the harness may be opened a moment after this program has begun. */
async function reached(): Promise<Socket> {
  for (let left = 100; left > 0; left--) {
    const socket = await connected('127.0.0.1', harness);
    if (socket !== undefined) return socket;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  process.exit(0);
}

function join(client: Socket): void {
  const served = connect({ host, port: service, allowHalfOpen: true });
  for (const [from, to] of [
    [client, served],
    [served, client],
  ] as const) {
    from.on('error', () => to.destroy());
    from.on('close', () => from.readableEnded || to.destroy());
    from.pipe(to);
  }
}

function connected(address: string, port: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, allowHalfOpen: true });
    const failed = () => resolve(undefined);
    socket.once('error', failed);
    socket.once('connect', () => {
      socket.removeListener('error', failed);
      socket.on('error', () => socket.destroy());
      resolve(socket);
    });
  });
}
