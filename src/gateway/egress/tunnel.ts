import type { Socket } from 'node:net';
import { readGreeting } from './client-hello.ts';
import { canonicalHost } from './host-name.ts';
import { endTogether } from './join-sockets.ts';

/** How long a greeting in TLS may take from its first byte. */
const GREETING_MS = 15_000;
/** In how many pieces it may come. */
const MOST_PIECES = 256;

export interface Tunnel {
  /** What a program within the walls said `CONNECT` on. */
  readonly near: Socket;
  /** What it has said since. */
  readonly head: Buffer;
  readonly far: Socket;
  /** The host that it asked for. */
  readonly host: string;
  /** Told the name when it greets another host than it asked for, or `undefined` when nobody can say whom it greets. */
  readonly onOtherName: (name: string | undefined) => void;
}

/**
 * Joins the two. What the far side says is passed on at once. What the near side says first is held until it is known whom it greets; when
 * that is another host than it asked for, nothing is passed on and both are closed.
 */
export function joinTunnel({ near, head, far, host, onOtherName }: Tunnel): void {
  endTogether(near, far);
  far.pipe(near);
  let held = head;
  let pieces = 0;
  let timer: NodeJS.Timeout | undefined;
  const release = (): void => {
    near.off('data', take).off('end', end);
    clearTimeout(timer);
    far.write(held);
    near.pipe(far);
  };
  const close = (): void => {
    near.destroy();
    far.destroy();
  };
  const judge = (): void => {
    const greeting = readGreeting(held);
    if (greeting.kind === 'incomplete') {
      if (held.length > 0) timer ??= setTimeout(close, GREETING_MS).unref();
    } else if (
      greeting.kind === 'other' ||
      (greeting.kind === 'hello' && (greeting.serverName === undefined || canonicalHost(greeting.serverName) === host))
    ) {
      release();
    } else {
      onOtherName(greeting.kind === 'hello' ? greeting.serverName : undefined);
      close();
    }
  };
  const take = (chunk: Buffer): void => {
    held = Buffer.concat([held, chunk]);
    pieces += 1;
    if (pieces > MOST_PIECES) close();
    else judge();
  };
  const end = (): void => {
    if (held.length === 0) far.end();
    else close();
  };
  near.on('data', take).on('end', end);
  near.once('close', () => clearTimeout(timer));
  judge();
}
