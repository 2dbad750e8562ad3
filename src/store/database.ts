import pg from 'pg';
import type { Clock } from '../lib/clock.ts';
import { SwitchyardError } from '../lib/error.ts';

/** How long work in flight waits for a database that went away, before it gives up. */
const OUTAGE_PATIENCE_MS = 60_000;

/** Runs statements: a pool, or one connection inside a transaction. */
export interface Queries {
  query<Row extends object = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<Row[]>;
}

/**
 * The connections to PostgreSQL. `transaction` commits what `work` returns and rolls back what it throws. When the connection is
 * lost it runs `work` again, so `work` must find out by itself (lease number, primary key) that an earlier commit went through;
 * after a minute without a database it rejects with `database/unavailable`. Disposing closes all connections.
 */
export interface Database extends Queries, AsyncDisposable {
  readonly url: string;
  transaction<T>(work: (queries: Queries) => Promise<T>): Promise<T>;
  /**
   * Calls back with each notification on a channel, and with `undefined` whenever some may have been missed (at the beginning, after
   * a reconnection). Disposing ends it.
   */
  listen(channels: readonly string[], onMessage: (message: Notification | undefined) => void): Promise<AsyncDisposable>;
}

export interface Notification {
  readonly channel: string;
  readonly payload: string;
}

export function openDatabase(url: string, { clock, connections = 8 }: { clock: Clock; connections?: number }): Database {
  const pool = new pg.Pool({ connectionString: url, max: connections, options: '-c search_path=switchyard,public', idleTimeoutMillis: 30_000 });
  // An idle connection that breaks is replaced at the next query; there is nothing else to do about it here.
  pool.on('error', () => undefined);

  async function transactionOnce<T>(work: (queries: Queries) => Promise<T>): Promise<T> {
    const client = await pool.connect();
    let broken: Error | undefined;
    const onError = (error: Error) => {
      broken = error;
    };
    client.on('error', onError);
    try {
      await client.query('begin');
      const result = await work(queriesOf(client));
      await client.query('commit');
      return result;
    } catch (error) {
      if (isConnectionLoss(error)) broken = error as Error;
      else await client.query('rollback').catch((failure: Error) => (broken = failure));
      throw error;
    } finally {
      client.off('error', onError);
      client.release(broken);
    }
  }

  async function patiently<T>(attempt: () => Promise<T>): Promise<T> {
    const deadline = clock.now() + OUTAGE_PATIENCE_MS;
    for (let wait = 50; ; wait = Math.min(wait * 2, 1000)) {
      try {
        return await attempt();
      } catch (error) {
        if (!isConnectionLoss(error)) throw error;
        if (clock.now() > deadline) throw unavailable(error);
        await clock.sleep(wait);
      }
    }
  }

  return {
    url,
    query: (text, values) => patiently(() => queriesOf(pool).query(text, values)),
    transaction: (work) => patiently(() => transactionOnce(work)),
    listen: (channels, onMessage) => listen({ url, clock, channels, onMessage }),
    async [Symbol.asyncDispose]() {
      await pool.end();
    },
  };
}

function queriesOf(connection: pg.Pool | pg.PoolClient): Queries {
  return {
    async query<Row extends object>(text: string, values: readonly unknown[] = []) {
      const result: pg.QueryResult<Row> | pg.QueryResult<Row>[] = await connection.query<Row>(text, [...values]);
      // A text of several statements has several results.
      return Array.isArray(result) ? result.flatMap((each) => each.rows) : result.rows;
    },
  };
}

interface Listening {
  readonly url: string;
  readonly clock: Clock;
  readonly channels: readonly string[];
  readonly onMessage: (message: Notification | undefined) => void;
}

/** A connection of its own that is made again for as long as it is wanted. */
async function listen({ url, clock, channels, onMessage }: Listening): Promise<AsyncDisposable> {
  const over = new AbortController();
  let current: pg.Client | undefined;

  async function connect(): Promise<void> {
    const client = new pg.Client({ connectionString: url, keepAlive: true });
    client.on('error', () => undefined); // 'end' follows, and connects again
    client.on('notification', ({ channel, payload }) => onMessage({ channel, payload: payload ?? '' }));
    client.on('end', () => {
      if (current === client && !over.signal.aborted) void reconnect();
    });
    await client.connect();
    current = client;
    for (const channel of channels) await client.query(`listen ${pg.escapeIdentifier(channel)}`);
    onMessage(undefined);
  }

  async function reconnect(): Promise<void> {
    while (!over.signal.aborted) {
      await clock.sleep(200, over.signal);
      try {
        return await connect();
      } catch {
        // still away: try again until disposed
      }
    }
  }

  await connect();
  return {
    async [Symbol.asyncDispose]() {
      over.abort();
      await current?.end();
    },
  };
}

const CONNECTION_ERRORS: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ENOENT', 'ENOTFOUND', 'ETIMEDOUT', '57P01', '57P02', '57P03', '53300']);

/** Whether the database went away, as opposed to having refused something. */
export function isConnectionLoss(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? String(error.code) : '';
  return CONNECTION_ERRORS.has(code) || code.startsWith('08') || /^Connection terminated|timeout exceeded when trying to connect/.test(error.message);
}

function unavailable(cause: unknown): SwitchyardError {
  return new SwitchyardError({
    code: 'database/unavailable',
    message: 'The database does not answer.',
    hint: 'Look into daemon.log and pg.log in SWITCHYARD_HOME, or at the server that DATABASE_URL names.',
    retry: 'backoff',
    cause,
  });
}
