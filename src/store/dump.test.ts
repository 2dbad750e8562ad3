import { expect, test } from 'vitest';
import { systemClock } from '../lib/clock.ts';
import { createTestDatabase } from '../testing/test-database.ts';
import { openDatabase } from './database.ts';
import { dumpDatabase, loadDump, tablesInOrder } from './dump.ts';
import { insertBareRun, type StoreFixture, storeFixture } from './fixture.ts';
import { migrate } from './migrate.ts';

async function filled(): Promise<StoreFixture> {
  const store = await storeFixture();
  await insertBareRun(store.database, 'r1');
  return store;
}

async function* each(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines;
}

async function dumped(url: string): Promise<{ lines: string[]; facts: Awaited<ReturnType<typeof dumpDatabase>> }> {
  let text = '';
  const write = async (line: string) => {
    text += line;
  };
  const facts = await dumpDatabase(url, { write, signal: new AbortController().signal });
  return { lines: text.split('\n').filter((line) => line !== ''), facts };
}

test('every table is dumped after those that its rows refer to', async () => {
  await using store = await filled();
  const tables = await tablesInOrder(store.database);
  expect(tables).toContain('transcript');
  expect(tables).not.toContain('worker');
  for (const [child, parent] of [
    ['run', 'task'],
    ['step', 'run'],
    ['attempt', 'step'],
    ['task', 'task_dependency'].toReversed(),
  ] as const)
    expect(tables.indexOf(child ?? '')).toBeGreaterThan(tables.indexOf(parent ?? ''));
});

test('what is loaded is dumped again the same: odd text, times, infinities, numbers that the database gave out', async () => {
  await using store = await filled();
  await store.database.query(
    `insert into task (id, title, body, requester, labels, created_at)
     values ('t-odd', E'a\\tb\\n"c" \\u00e9 😀', E'\\\\', 'ada', array['x', 'y,"z"'], '2026-01-02 03:04:05.678901+02')`,
  );
  await store.database.query(
    `insert into outbox (id, run, kind, created_at) select 'o1', id, 'trash', 'infinity' from run limit 1`,
  );
  const { lines, facts } = await dumped(store.database.url);
  await using place = await createTestDatabase();
  await using other = openDatabase(place.url, { clock: systemClock });
  await migrate(other);
  const rows = await other.transaction((queries) => loadDump(queries, each(lines)));
  expect(Object.entries(facts.rows).filter(([, count]) => count > 0)).toEqual(Object.entries(rows));
  const again = await dumped(place.url);
  expect(again.lines.toSorted()).toEqual(lines.toSorted());
  const [next] = await other.query<{ position: string }>(
    `insert into outbox (id, run, kind, created_at) select 'o2', id, 'trash', now() from run limit 1 returning position`,
  );
  expect(Number(next?.position)).toBeGreaterThan(1);
});

test('rows that come while it is written are not in it', async () => {
  await using store = await filled();
  let text = '';
  const facts = await dumpDatabase(store.database.url, {
    write: async (line) => {
      text += line;
      await store.database.query(`update run set slug = slug || '-moved'`);
    },
    signal: new AbortController().signal,
  });
  expect(facts.rows['run']).toBeGreaterThan(0);
  expect(text).not.toContain('-moved');
});

test('an abort ends it', async () => {
  await using store = await filled();
  const over = new AbortController();
  const write = async () => over.abort(new Error('enough'));
  await expect(dumpDatabase(store.database.url, { write, signal: over.signal })).rejects.toThrow('enough');
});
