import { once } from 'node:events';
import type { Server } from 'node:net';
import { bridgeServer } from '../../../ports/sandbox/bridge-server.ts';
import type { Bridge } from '../../../ports/sandbox.ts';

interface Open {
  readonly socket: string;
  readonly server: Server;
  readonly listening: Promise<unknown>;
  users: number;
}

/** Ports of this machine's own loopback that lead to sockets, shared by the programs of one workspace. macOS has no loopback for each program. */
export class SharedPorts {
  readonly #open = new Map<number, Open>();

  /** Disposing closes the ports that nobody else has opened. Rejects where a port is another workspace's, or anybody else's. */
  async use(bridges: readonly Bridge[]): Promise<AsyncDisposable> {
    await using undo = new AsyncDisposableStack();
    for (const bridge of bridges) undo.use(await this.#take(bridge));
    const taken = undo.move();
    return { [Symbol.asyncDispose]: () => taken.disposeAsync() };
  }

  async #take({ port, socket }: Bridge): Promise<AsyncDisposable> {
    const found = this.#open.get(port);
    if (found !== undefined && found.socket !== socket) throw new Error(`port ${port} is in use by another run`);
    const open = found ?? this.#begin({ port, socket });
    open.users++;
    const release = async () => {
      if (--open.users > 0) return;
      if (this.#open.get(port) === open) this.#open.delete(port);
      if (open.server.listening) await new Promise((closed) => open.server.close(closed));
    };
    try {
      await open.listening;
    } catch (error) {
      await release();
      throw error;
    }
    return { [Symbol.asyncDispose]: release };
  }

  #begin({ port, socket }: Bridge): Open {
    const server = bridgeServer(socket);
    server.listen(port, '127.0.0.1');
    const open: Open = { socket, server, listening: once(server, 'listening'), users: 0 };
    this.#open.set(port, open);
    return open;
  }
}
