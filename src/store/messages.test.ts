import { afterAll, beforeAll, expect, test } from 'vitest';
import { insertBareRun, type StoreFixture, storeFixture } from './fixture.ts';
import { insertMessage, isUrgent } from './messages.ts';

let fixture: StoreFixture;

beforeAll(async () => {
  fixture = await storeFixture();
});

afterAll(() => fixture[Symbol.asyncDispose]());

const urgent = async (id: string, run: string) =>
  insertMessage(fixture.database, {
    id,
    run,
    text: 'Stop it.',
    actor: { kind: 'person', name: 'ada' },
    urgent: true,
    answer: { state: 'delivering', text: 'The turn is interrupted for it.' },
    sent_at: new Date(),
    step: null,
  });

test('a message that may not wait is urgent until it is given or heard', async () => {
  const { database } = fixture;
  await insertBareRun(database, 'run1');
  expect(await isUrgent(database, 'run1')).toBe(false);
  await urgent('given', 'run1');
  await urgent('heard', 'run1');
  expect(await isUrgent(database, 'run1')).toBe(true);
  await database.query(`update message set delivered_at = sent_at where id = 'given'`);
  expect(await isUrgent(database, 'run1')).toBe(true);
  await database.query(`update message set heard_at = sent_at where id = 'heard'`);
  expect(await isUrgent(database, 'run1')).toBe(false);
});

/** Tables that are long, and are asked by what they refer to. */
test.each([
  ['message', ['run', 'position']],
  ['message', ['step']],
  ['run', ['task']],
])('rows of %s are found by %j, whatever they hold', async (table, columns) => {
  const indexes = await fixture.database.query<{ columns: string[] }>(
    `select array(select a.attname::text from unnest(i.indkey) with ordinality k (number, place)
                  join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.number order by k.place) as columns
     from pg_index i where i.indrelid = $1::regclass and i.indpred is null`,
    [table],
  );
  expect(indexes.map((index) => index.columns.slice(0, columns.length))).toContainEqual(columns);
});
