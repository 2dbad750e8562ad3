import { expect, test } from 'vitest';
import { systemClock } from '../lib/clock.ts';
import { createTestDatabase } from '../testing/test-database.ts';
import { openDatabase } from './database.ts';
import { knownMigrations, migrate, migrateTo } from './migrate.ts';

test('an empty database gets its tables, and migrating again changes nothing', async () => {
  await using place = await createTestDatabase();
  await using database = openDatabase(place.url, { clock: systemClock });
  await migrate(database);
  const before = await database.query('select name, at from migration');
  const all = await knownMigrations();
  expect(all[0]).toBe('0001-first.sql');
  expect(before).toEqual(all.map((name) => ({ name, at: expect.any(Date) as Date })));
  await migrate(database);
  expect(await database.query('select name, at from migration')).toEqual(before);
  expect(await database.query('select * from run')).toEqual([]);
});

test('a database of an earlier version gets what is new, and keeps what it has', async () => {
  await using place = await createTestDatabase();
  await using database = openDatabase(place.url, { clock: systemClock });
  await migrateTo(database, ['0001-first.sql']);
  await database.query("insert into upstream_pause values ('h', 'k', 'quota', now())");
  await migrate(database);
  expect(await database.query('select host, credential from upstream_pause')).toEqual([{ host: 'h', credential: 'k' }]);
  expect(await database.query('select * from upstream_model_pause')).toEqual([]);
});

test('several processes that start at once migrate once', async () => {
  await using place = await createTestDatabase();
  await using database = openDatabase(place.url, { clock: systemClock });
  await Promise.all(Array.from({ length: 6 }, () => migrate(database)));
  expect(await database.query('select count(*)::int as count from migration')).toEqual([
    { count: (await knownMigrations()).length },
  ]);
});

test('a database that a newer version has changed is refused and left as it is', async () => {
  await using place = await createTestDatabase();
  await using database = openDatabase(place.url, { clock: systemClock });
  await migrate(database);
  await database.query(`insert into migration (name) values ('9999-later.sql')`);
  await expect(migrate(database)).rejects.toMatchObject({
    code: 'database/newer',
    message: expect.stringContaining('9999-later.sql') as string,
  });
  expect(await database.query('select count(*)::int as count from migration')).toEqual([
    { count: (await knownMigrations()).length + 1 },
  ]);
});

test('a migration that fails leaves nothing behind', async () => {
  await using place = await createTestDatabase();
  await using database = openDatabase(place.url, { clock: systemClock });
  await place.query('create schema switchyard');
  await place.query('create table switchyard.worker (in_the_way int)');
  await expect(migrate(database)).rejects.toMatchObject({ code: '42P07' });
  const tables = await place.query(`select tablename from pg_tables where schemaname = 'switchyard'`);
  expect(tables).toEqual([{ tablename: 'worker' }]);
});
