import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Clock, systemClock } from '../lib/clock.ts';
import { waitUntil } from '../lib/wait-until.ts';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts';
import { openDatabase } from './database.ts';
import { enduring } from './enduring.ts';

let place: TestDatabase;

beforeAll(async () => {
  place = await createTestDatabase();
  await place.query('create table account (id text primary key, amount int not null)');
});

afterAll(() => place[Symbol.asyncDispose]());

const open = (clock: Clock = systemClock, connections = 4) => openDatabase(place.url, { clock, connections });

/** Ends all connections but the one that asks. */
const cutAll = () =>
  place.query(
    'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
  );

test('a transaction commits what it returns and rolls back what it throws', async () => {
  await using database = open();
  const insert = (id: string) => `insert into account values ('${id}', 1)`;
  expect(await database.transaction(async (queries) => (await queries.query(insert('a')), 'done'))).toBe('done');
  const failure = new Error('no');
  await expect(
    database.transaction(async (queries) => {
      await queries.query(insert('b'));
      throw failure;
    }),
  ).rejects.toBe(failure);
  expect(await database.query(`select id from account where id in ('a', 'b')`)).toEqual([{ id: 'a' }]);
});

test('a transaction whose connection breaks is run again from its beginning', async () => {
  await using database = open();
  let runs = 0;
  await database.transaction(async (queries) => {
    runs += 1;
    await queries.query(`insert into account values ('cut', $1)`, [runs]);
    if (runs === 1) await cutAll();
    await queries.query(`update account set amount = amount + 10 where id = 'cut'`);
  });
  expect(runs).toBe(2);
  expect(await database.query(`select amount from account where id = 'cut'`)).toEqual([{ amount: 12 }]);
});

test('a connection that breaks while the transaction waits for something else is noticed too', async () => {
  await using database = open();
  let runs = 0;
  await database.transaction(async (queries) => {
    runs += 1;
    await queries.query(`insert into account values ('late', 0) on conflict do nothing`);
    if (runs > 1) return;
    await cutAll();
    const isGone = async () =>
      (await place.query(`select 1 from pg_stat_activity where query like '%late%' and pid <> pg_backend_pid()`))
        .length === 0;
    await waitUntil(isGone, { timeoutMs: 5_000 });
    throw new Error('whatever the work makes of it');
  });
  expect(runs).toBe(2);
});

test('a transaction that stands still lets go of what it holds, and is run again when it goes on', async () => {
  await using database = open();
  await database.query(`insert into account values ('held', 0)`);
  const add = `update account set amount = amount + 1 where id = 'held'`;
  let runs = 0;
  const standing = database.transaction(async (queries) => {
    runs += 1;
    await queries.query(add);
    if (runs > 1) return;
    await queries.query('set local idle_in_transaction_session_timeout = 50');
    await place.query(add); // waits for the lock that is held here
    await queries.query(add);
  });
  await standing;
  expect(runs).toBe(2);
  expect(await database.query(`select amount from account where id = 'held'`)).toEqual([{ amount: 2 }]);
  expect(await database.query('show idle_in_transaction_session_timeout')).toEqual([
    { idle_in_transaction_session_timeout: '10s' },
  ]);
});

test('idle connections that were cut are replaced without anybody noticing', async () => {
  await using database = open();
  await Promise.all([1, 2, 3, 4].map(() => database.query('select pg_sleep(0.05)')));
  await cutAll();
  const answers = await Promise.all([1, 2, 3, 4, 5, 6].map((n) => database.query('select $1::int as n', [n])));
  expect(answers.flat()).toEqual([1, 2, 3, 4, 5, 6].map((n) => ({ n })));
});

test('of two transactions that lock each other out both come through', async () => {
  await using database = open();
  await database.query(`insert into account values ('left', 0), ('right', 0)`);
  const both = Promise.withResolvers<void>();
  let holding = 0;
  const add = (first: string, second: string) =>
    database.transaction(async (queries) => {
      await queries.query('update account set amount = amount + 1 where id = $1', [first]);
      if (++holding === 2) both.resolve();
      await both.promise;
      await queries.query('update account set amount = amount + 1 where id = $1', [second]);
    });
  await Promise.all([add('left', 'right'), add('right', 'left')]);
  const amounts = await database.query(`select amount from account where id in ('left', 'right')`);
  expect(amounts).toEqual([{ amount: 2 }, { amount: 2 }]);
});

test('more transactions than connections take turns', async () => {
  await using database = open(systemClock, 2);
  await database.query(`insert into account values ('many', 0)`);
  await Promise.all(
    Array.from({ length: 40 }, () =>
      database.transaction(async (queries) => {
        const [row] = await queries.query<{ amount: number }>(
          `select amount from account where id = 'many' for update`,
        );
        await queries.query(`update account set amount = $1 where id = 'many'`, [(row?.amount ?? 0) + 1]);
      }),
    ),
  );
  expect(await database.query(`select amount from account where id = 'many'`)).toEqual([{ amount: 40 }]);
});

/** A clock on which any wait takes no time, but lasts. */
function hurriedClock(): Clock & { slept: number } {
  const clock = {
    slept: 0,
    now: () => clock.slept,
    async sleep(ms: number) {
      clock.slept += ms;
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
  return clock;
}

const NOBODY = 'postgres://nobody@/nothing?host=/nowhere/at/all';

test('without a database a caller is told so after a minute', async () => {
  const clock = hurriedClock();
  await using database = openDatabase(NOBODY, { clock });
  const away = { code: 'database/unavailable' };
  await expect(database.query('select 1')).rejects.toMatchObject(away);
  expect(clock.slept).toBeGreaterThan(60_000);
  expect(clock.slept).toBeLessThan(63_000);
  await expect(database.transaction(async () => 1)).rejects.toMatchObject(away);
});

test('work that has to wait for the database waits longer, until it is told to stop', async () => {
  const clock = hurriedClock();
  await using database = openDatabase(NOBODY, { clock });
  const stop = new AbortController();
  const waiting = enduring(database, stop.signal).query('select 1');
  const outcome = waiting.then(
    () => 'answered',
    (error: unknown) => error,
  );
  await waitUntil(() => clock.slept > 300_000, { timeoutMs: 10_000 });
  stop.abort();
  expect(await outcome).toMatchObject({ code: 'database/unavailable' });
});

test('a refusal is not mistaken for an outage', async () => {
  await using database = open();
  await expect(database.query('select * from nowhere')).rejects.toMatchObject({ code: '42P01' });
  await expect(database.transaction((queries) => queries.query('select 1 / $1::int', [0]))).rejects.toMatchObject({
    code: '22012',
  });
  expect(await database.query('select 1 as one')).toEqual([{ one: 1 }]);
});

test('a listener hears what is said, is told when it may have missed something, and hears again', async () => {
  await using database = open();
  const heard: (string | undefined)[] = [];
  const listening = await database.listen(['one', 'two'], (message) =>
    heard.push(message && `${message.channel} ${message.payload}`),
  );
  expect(heard).toEqual([undefined]);
  await database.query(`select pg_notify('one', 'a'), pg_notify('two', 'b'), pg_notify('three', 'c')`);
  await waitUntil(() => heard.length === 3, { timeoutMs: 5_000 });
  await cutAll();
  await waitUntil(() => heard.length === 4, { timeoutMs: 5_000 });
  await database.query(`select pg_notify('two', 'd')`);
  await waitUntil(() => heard.length === 5, { timeoutMs: 5_000 });
  expect(heard).toEqual([undefined, 'one a', 'two b', undefined, 'two d']);

  await listening[Symbol.asyncDispose]();
  const listeners = () =>
    place.query(`select 1 from pg_stat_activity where datname = current_database() and query like 'listen%'`);
  await waitUntil(async () => (await listeners()).length === 0, { timeoutMs: 5_000 });
});

test('all listeners of a process share a connection, and each hears what it asked for', async () => {
  await using database = open();
  const heard: string[] = [];
  const note = (who: string) => (message: { payload: string } | undefined) =>
    void heard.push(`${who} ${message === undefined ? 'begins' : message.payload}`);
  await using _first = await database.listen(['one', 'both'], note('first'));
  const second = await database.listen(['both'], note('second'));
  await place.query(`select pg_notify('one', 'a'), pg_notify('both', 'b')`);
  await waitUntil(() => heard.length === 5, { timeoutMs: 5_000 });
  expect(heard.toSorted()).toEqual(['first a', 'first b', 'first begins', 'second b', 'second begins']);
  const lines = await place.query(
    `select 1 from pg_stat_activity where datname = current_database() and query like 'listen%'`,
  );
  expect(lines).toHaveLength(1);
  await second[Symbol.asyncDispose]();
  await place.query(`select pg_notify('both', 'c')`);
  await waitUntil(() => heard.includes('first c'), { timeoutMs: 5_000 });
  expect(heard).not.toContain('second c');
});

test('a listener that is cut again and again has one connection, and none when it has ended', async () => {
  await using database = open();
  let gaps = 0;
  const listening = await database.listen(['x'], (message) => void (gaps += message === undefined ? 1 : 0));
  for (let round = 2; round <= 4; round++) {
    await cutAll();
    await waitUntil(() => gaps === round, { timeoutMs: 5_000 });
  }
  await cutAll();
  await listening[Symbol.asyncDispose]();
  expect(
    await place.query(`select 1 from pg_stat_activity where datname = current_database() and query like 'listen%'`),
  ).toEqual([]);
});
