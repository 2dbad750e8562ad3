import { Client, escapeIdentifier } from 'pg';
import type { Clock } from '../lib/clock.ts';

export interface Notification {
  readonly channel: string;
  readonly payload: string;
}

export interface Listening {
  readonly url: string;
  readonly clock: Clock;
  readonly channels: readonly string[];
  /** Must not throw. */
  readonly onMessage: (message: Notification | undefined) => void;
}

const AGAIN_MS = 200;
const CONNECT_MS = 10_000;

/**
 * Listens over a connection of its own, which is made again for as long as it is wanted. Rejects when the first one cannot be made.
 * Nobody is called back once disposing has begun.
 */
export async function listen(listening: Listening): Promise<AsyncDisposable> {
  const over = new AbortController();
  const heard: Listening = {
    ...listening,
    onMessage: (message) => (over.signal.aborted ? undefined : listening.onMessage(message)),
  };
  const first = await connect(heard);
  const kept = keep(heard, first, over.signal);
  return {
    async [Symbol.asyncDispose]() {
      over.abort();
      await kept;
    },
  };
}

interface Line {
  readonly client: Client;
  /** Resolves when the connection is gone, for whatever reason. */
  readonly gone: Promise<void>;
}

/** Runs until the signal aborts; then nothing is connected any more. */
async function keep(listening: Listening, first: Line, signal: AbortSignal): Promise<void> {
  const aborted = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  for (let line: Line | undefined = first; !signal.aborted; ) {
    if (line !== undefined) await Promise.race([line.gone, aborted]);
    if (signal.aborted) return close(line);
    await listening.clock.sleep(AGAIN_MS, signal);
    // The server is still away: try again.
    line = signal.aborted ? undefined : await connect(listening).catch(() => undefined);
    if (signal.aborted) return close(line);
  }
}

async function connect({ url, channels, onMessage }: Listening): Promise<Line> {
  const client = new Client({ connectionString: url, keepAlive: true, connectionTimeoutMillis: CONNECT_MS });
  const gone = new Promise<void>((resolve) => {
    client.once('end', resolve);
  });
  client.on('error', () => undefined); // 'end' follows
  client.on('notification', ({ channel, payload }) => onMessage({ channel, payload: payload ?? '' }));
  const line = { client, gone };
  try {
    await client.connect();
    await client.query(channels.map((channel) => `listen ${escapeIdentifier(channel)}`).join('; '));
  } catch (error) {
    await close(line);
    throw error;
  }
  onMessage(undefined);
  return line;
}

async function close(line: Line | undefined): Promise<void> {
  await line?.client.end().catch(() => undefined);
}
