import type { Socket } from 'node:net';

/** Once one direction has ended, for how long nothing may be said in the other: who is gone altogether looks the same at first. */
const HALF_IDLE_MS = 2 * 60_000;

/**
 * Joins two connections until both directions have ended. One that ends its own direction still hears the other; one that breaks off ends
 * the other.
 */
export function joinSockets(near: Socket, far: Socket): void {
  endTogether(near, far);
  near.pipe(far);
  far.pipe(near);
}

/** What breaks off takes the other one with it; what ends in order does not. Whoever calls this has `near` destroyed by its timeout. */
export function endTogether(near: Socket, far: Socket): void {
  tie(near, far);
  tie(far, near);
  for (const socket of [near, far]) socket.once('end', () => near.setTimeout(HALF_IDLE_MS));
}

function tie(one: Socket, other: Socket): void {
  one.on('error', () => other.destroy());
  one.once('close', () => {
    if (!one.readableEnded || !one.writableFinished) other.destroy();
  });
}
