import { existsSync } from 'node:fs';
import { type ApiClient, createClient, type ServerAddress } from '../api/client.ts';
import { SwitchyardError } from '../lib/error.ts';
import { resolveHome } from '../lib/home.ts';
import { pause } from '../lib/wait-until.ts';
import type { CommandContext } from './context.ts';
import { isLost } from './failure.ts';
import { startDaemon } from './start-daemon.ts';
import { usageError } from './usage-error.ts';

/** A server that answered a moment ago. */
export interface Server {
  readonly client: ApiClient;
  /** Waits until it answers again after it was lost; a daemon of this home is started. Rejects when it stays away. */
  reach(signal?: AbortSignal): Promise<void>;
  /** Why somebody who only looks on does not reach it again: a person has stopped the daemon of this home (`daemon/stopped`). */
  stopped(): SwitchyardError | undefined;
}

const STAYS_AWAY_MS = 60_000;

/**
 * The server that a command speaks to: the one that was named, else the daemon of this home, which is started when it does not run.
 * A server elsewhere that does not answer is `daemon/unavailable` at once.
 */
export async function connect(context: CommandContext, options: { readonly server?: string }): Promise<Server> {
  const { address, isOwn } = findServer(context, options.server);
  const client = createClient(address);
  const start = () => startDaemon(context, client, { testMode: false });
  await (isOwn ? start() : client.call('health', {}));
  return {
    client,
    reach: (signal) => (isOwn ? start() : waitFor(client, signal)),
    stopped: () => (isOwn && existsSync(resolveHome(context.env).stopped) ? wasStopped() : undefined),
  };
}

function wasStopped(): SwitchyardError {
  return new SwitchyardError({
    code: 'daemon/stopped',
    message: 'The daemon was stopped; the run goes on when it is back: switchyard server up',
    hint: '`switchyard logs -f RUN` then follows it again.',
  });
}

/** Where the server is, and whether it is the daemon of this home, which this command line may start and stop. */
export function findServer(context: CommandContext, given?: string): { address: ServerAddress; isOwn: boolean } {
  const own = resolveHome(context.env).socket;
  const written = given ?? (context.env['SWITCHYARD_SERVER'] || undefined);
  if (written === undefined) return { address: { socket: own }, isOwn: true };
  const address = readAddress(written, context.env['SWITCHYARD_TOKEN'] || undefined);
  return { address, isOwn: 'socket' in address && address.socket === own };
}

function readAddress(written: string, token: string | undefined): ServerAddress {
  if (written.startsWith('unix:/')) return { socket: written.slice('unix:'.length).replace(/^\/{2,}/, '/') };
  const url = URL.parse(written);
  if (url?.protocol === 'http:') return token === undefined ? { url: url.href } : { url: url.href, token };
  throw usageError(
    `${JSON.stringify(written)} is not the address of a server.`,
    'Write unix:/path/to/daemon.sock or http://host:port.',
  );
}

async function waitFor(client: ApiClient, signal: AbortSignal | undefined): Promise<void> {
  const deadline = performance.now() + STAYS_AWAY_MS;
  for (let waitMs = 100; ; waitMs = Math.min(2 * waitMs, 2000)) {
    try {
      await client.call('health', {}, {}, signal);
      return;
    } catch (error) {
      signal?.throwIfAborted();
      if (!isLost(error)) throw error;
      if (performance.now() > deadline) throw stayedAway(error);
    }
    await pause(waitMs, signal);
  }
}

function stayedAway(cause: unknown): SwitchyardError {
  return new SwitchyardError({
    code: 'daemon/unavailable',
    message: `The server went away and did not come back within ${STAYS_AWAY_MS / 1000} seconds.`,
    hint: 'Its runs go on as soon as it is back; `switchyard logs -f RUN` follows one again.',
    cause,
  });
}
