import { Pool, type PoolClient, type QueryResult } from 'pg';
import type { Clock } from '../lib/clock.ts';
import { SwitchyardError } from '../lib/error.ts';
import { ConnectionLost, isConnectionLoss, isSentBack } from './connection-loss.ts';
import { Listeners, type Notification } from './listen.ts';

/** How long a caller waits for a database that went away, before it is told so. */
const OUTAGE_PATIENCE_MS = 60_000;
/** How long to wait for a connection, be it that none is free or that the server does not answer, before trying again. */
const CONNECT_MS = 10_000;
/** A process that is stopped in the middle of a transaction must not keep the others from what it holds. */
const STANDSTILL_MS = 10_000;

/** Runs statements: a pool, or one connection inside a transaction. */
export interface Queries {
  query<Row extends object = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<Row[]>;
}

/**
 * The connections to PostgreSQL. `transaction` commits what `work` returns and rolls back what it throws. When the connection is
 * lost, or the server has ended the transaction to resolve a deadlock, it runs `work` again, so `work` must find out by itself (lease
 * number, primary key, the name of a decision) that an earlier commit went through. `query` sends its statement again likewise. After
 * a minute without a database both reject with `database/unavailable`. Disposing closes all connections, once none is in use.
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

export interface DatabaseOptions {
  readonly clock: Clock;
  readonly connections?: number;
}

export function openDatabase(url: string, { clock, connections = 8 }: DatabaseOptions): Database {
  const pool = new Pool({
    connectionString: url,
    max: connections,
    options: '-c search_path=switchyard,public',
    idleTimeoutMillis: 30_000,
    connectionTimeoutMillis: CONNECT_MS,
    idle_in_transaction_session_timeout: STANDSTILL_MS,
    keepAlive: true,
  });
  // An idle connection that breaks is replaced at the next query; there is nothing else to do about it here.
  pool.on('error', () => undefined);
  // One that breaks at the very moment when it is handed out has no other listener; whoever got it finds out at its first statement.
  pool.on('connect', (client) => client.on('error', () => undefined));
  const prepared = new Prepared();
  const listeners = new Listeners(url, clock);
  let closed: Promise<void> | undefined;

  async function patiently<T>(attempt: () => Promise<T>): Promise<T> {
    const deadline = clock.now() + OUTAGE_PATIENCE_MS;
    for (let wait = 50; ; wait = Math.min(wait * 2, 1000)) {
      try {
        return await attempt();
      } catch (error) {
        if (!isConnectionLoss(error) && !isSentBack(error)) throw error;
        if (clock.now() > deadline) throw unavailable(error);
        await clock.sleep(wait);
      }
    }
  }

  return {
    url,
    query: (text, values) => patiently(() => queriesOf(pool, prepared).query(text, values)),
    transaction: (work) => patiently(() => transactionOnce(pool, prepared, work)),
    listen: (channels, onMessage) => listeners.add(channels, onMessage),
    [Symbol.asyncDispose]: () => (closed ??= pool.end()),
  };
}

async function transactionOnce<T>(pool: Pool, prepared: Prepared, work: (queries: Queries) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  const onError = (error: Error) => {
    broken = error;
  };
  client.on('error', onError);
  try {
    await client.query('begin');
    const result = await work(queriesOf(client, prepared));
    await client.query('commit');
    return result;
  } catch (error) {
    if (broken === undefined && !isConnectionLoss(error)) await client.query('rollback').catch(onError);
    else broken ??= new ConnectionLost(error);
    // Whatever `work` made of it: without the connection nothing that it has done is certain.
    throw broken === undefined ? error : new ConnectionLost(error);
  } finally {
    client.off('error', onError);
    client.release(broken);
  }
}

function queriesOf(connection: Pool | PoolClient, prepared: Prepared): Queries {
  return {
    async query(text, values = []) {
      const name = values.length === 0 ? undefined : prepared.nameOf(text);
      const statement = { text, values: [...values], ...(name === undefined ? {} : { name }) };
      const result: QueryResult | QueryResult[] = await connection.query(statement);
      // A text of several statements has several results.
      return Array.isArray(result) ? result.flatMap((each) => each.rows) : result.rows;
    },
  };
}

/** Names for statements, by which a connection plans each only once: our texts are few, and planning takes longer than most of them. */
class Prepared {
  static readonly #most = 300;
  readonly #names = new Map<string, string>();

  nameOf(text: string): string | undefined {
    const known = this.#names.get(text);
    if (known !== undefined || this.#names.size >= Prepared.#most) return known;
    const name = `s${this.#names.size}`;
    this.#names.set(text, name);
    return name;
  }
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
