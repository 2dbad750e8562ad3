import { connect } from 'node:net';
import type { Service } from '../../domain/service.ts';
import { SwitchyardError } from '../../lib/error.ts';

/**
 * Ports of the machine's own loopback, for walls that leave the network open: there a port belongs to one run at a time. Programs name
 * the port that the repository declares, so another number would lead them to somebody else's service: what is taken is refused.
 */
const claimed = new Set<number>();

/** Has the port for this process alone until disposed. Rejects with `service/port-taken` when it has a user already. */
export async function claimPort({ name, port }: Service): Promise<Disposable> {
  const taken = claimed.has(port);
  if (!taken) claimed.add(port);
  if (taken || (await answers(port))) {
    if (!taken) claimed.delete(port);
    throw new SwitchyardError({
      code: 'service/port-taken',
      message: `The service ${name} cannot be started: port ${port} of this machine is in use${taken ? ', by another run' : ''}.`,
      hint: 'Where walls leave the network open, all runs share these ports. Wait for the other one, or give each run a loopback of its own: --sandbox bubblewrap.',
      retry: 'backoff',
    });
  }
  return { [Symbol.dispose]: () => void claimed.delete(port) };
}

/** Whether anything takes a connection at that port of this machine's loopback. */
export async function answers(port: number): Promise<boolean> {
  return (await connects('127.0.0.1', port)) || connects('::1', port);
}

function connects(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (reached: boolean) => {
      socket.destroy();
      resolve(reached);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}
