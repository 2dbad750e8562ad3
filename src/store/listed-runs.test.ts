import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Database } from './database.ts';
import { insertBareRun, insertBareStep, type StoreFixture, storeFixture } from './fixture.ts';
import { listedRun, listRuns } from './listed-runs.ts';

let fixture: StoreFixture;
let database: Database;

beforeAll(async () => {
  fixture = await storeFixture();
  ({ database } = fixture);
});

afterAll(() => fixture[Symbol.asyncDispose]());

test('runs are listed newest first with title, repository and the step that they are in, by one query', async () => {
  for (const id of ['a', 'b', 'c']) await insertBareRun(database, id);
  await insertBareStep(database, { id: 's1', run: 'b', node: 'implement', state: 'ended' });
  await insertBareStep(database, { id: 's2', run: 'b', node: 'lint', n: 2, state: 'waiting' });
  let queries = 0;
  const counting: Pick<Database, 'query'> = {
    query: (text, values) => {
      queries += 1;
      return database.query(text, values);
    },
  };
  const runs = await listRuns(counting, { limit: 10 });
  expect(queries).toBe(1);
  expect(runs.map(({ id }) => id)).toEqual(['c', 'b', 'a']);
  expect(runs[1]).toMatchObject({
    title: 'Fix it',
    repository_path: '/repo',
    step: { id: 's2', node: 'lint', n: 2, state: 'waiting' },
  });
  expect(runs[0]?.step).toBeNull();
  expect(await listedRun(database, 'b')).toEqual(runs[1]);
});

test('a list is of one repository where that is wanted, and no longer than wanted', async () => {
  expect(await listRuns(database, { repository: 'elsewhere', limit: 10 })).toEqual([]);
  expect(await listRuns(database, { repository: 'repo', limit: 2 })).toHaveLength(2);
});
