import { Client, escapeIdentifier } from 'pg';
import type { Clock } from '../lib/clock.ts';

export interface Notification {
  readonly channel: string;
  readonly payload: string;
}

interface Listener {
  readonly channels: readonly string[];
  /** Must not throw. */
  readonly onMessage: (message: Notification | undefined) => void;
  over: boolean;
}

interface Line {
  readonly client: Client;
  /** What it hears; it goes on hearing what nobody wants any more. */
  readonly channels: Set<string>;
  /** Aborts when the line is closed on purpose. */
  readonly closed: AbortController;
}

const AGAIN_MS = 200;
const CONNECT_MS = 10_000;

/**
 * Everybody who listens in this process, over one connection. It is there while somebody listens, and is made again for as long as it
 * is wanted.
 */
export class Listeners {
  readonly #url: string;
  readonly #clock: Clock;
  readonly #listeners = new Set<Listener>();
  /** Undefined as well while it is being made again. */
  #line: Line | undefined;
  #again: AbortController | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(url: string, clock: Clock) {
    this.#url = url;
    this.#clock = clock;
  }

  /** Rejects when there is no connection yet and none can be made. Nobody is called back once disposing has begun. */
  async add(channels: readonly string[], onMessage: Listener['onMessage']): Promise<AsyncDisposable> {
    const listener: Listener = { channels, onMessage, over: false };
    await this.#alone(() => this.#begin(listener));
    let removed: Promise<void> | undefined;
    return {
      [Symbol.asyncDispose]: () => {
        listener.over = true;
        return (removed ??= this.#alone(() => this.#remove(listener)));
      },
    };
  }

  async #begin(listener: Listener): Promise<void> {
    this.#listeners.add(listener);
    if (this.#again !== undefined) return; // it hears once the connection is back
    try {
      if (this.#line === undefined) this.#line = await this.#connect();
      else await hear(this.#line, listener.channels).catch(() => undefined); // a broken one is made again
    } catch (error) {
      this.#listeners.delete(listener);
      throw error;
    }
    tell(listener, undefined);
  }

  async #remove(listener: Listener): Promise<void> {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    this.#again?.abort();
    this.#again = undefined;
    const line = this.#line;
    this.#line = undefined;
    line?.closed.abort();
    await line?.client.end().catch(() => undefined);
  }

  /** A connection that hears all channels that are wanted now. */
  async #connect(): Promise<Line> {
    const client = new Client({ connectionString: this.#url, keepAlive: true, connectionTimeoutMillis: CONNECT_MS });
    const line: Line = { client, channels: new Set(), closed: new AbortController() };
    client.once('end', () => {
      if (!line.closed.signal.aborted) void this.#makeAgain(line);
    });
    client.on('error', () => undefined); // 'end' follows
    client.on('notification', ({ channel, payload }) => {
      const message = { channel, payload: payload ?? '' };
      for (const one of this.#listeners) if (one.channels.includes(channel)) tell(one, message);
    });
    try {
      await client.connect();
      await hear(
        line,
        [...this.#listeners].flatMap(({ channels }) => channels),
      );
    } catch (error) {
      line.closed.abort();
      await client.end().catch(() => undefined);
      throw error;
    }
    return line;
  }

  async #makeAgain(broken: Line): Promise<void> {
    if (this.#line !== broken) return;
    this.#line = undefined;
    const again = new AbortController();
    this.#again = again;
    while (!again.signal.aborted) {
      await this.#clock.sleep(AGAIN_MS, again.signal);
      await this.#alone(async () => {
        if (again.signal.aborted) return;
        this.#line = await this.#connect();
        this.#again = undefined;
        again.abort();
        for (const listener of this.#listeners) tell(listener, undefined);
      }).catch(() => undefined); // the server is still away
    }
  }

  /** One change of the connection after the other. */
  #alone<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#last.then(change);
    this.#last = result.catch(() => undefined);
    return result;
  }
}

function tell(listener: Listener, message: Notification | undefined): void {
  if (!listener.over) listener.onMessage(message);
}

async function hear({ client, channels }: Line, wanted: readonly string[]): Promise<void> {
  const more = [...new Set(wanted)].filter((channel) => !channels.has(channel));
  if (more.length === 0) return;
  await client.query(more.map((channel) => `listen ${escapeIdentifier(channel)}`).join('; '));
  for (const channel of more) channels.add(channel);
}
