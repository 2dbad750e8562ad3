import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../lib/clock.ts';
import { waitUntil } from '../lib/wait-until.ts';
import { type Database, openDatabase } from './database.ts';
import { type StoreFixture, storeFixture } from './fixture.ts';
import { JOBS_CHANNEL, type Job, openQueue, type Queue, queueOf, SHARED_QUEUE } from './queue.ts';

let fixture: StoreFixture;
let database: Database;
let queue: Queue;
const errors: unknown[] = [];

beforeAll(async () => {
  fixture = await storeFixture();
  ({ database } = fixture);
  queue = await openQueue(database, (error) => errors.push(error));
});

afterEach(async () => {
  await database.query('delete from pgboss.job');
  expect(errors).toEqual([]);
});

afterAll(async () => {
  await queue[Symbol.asyncDispose]();
  await fixture[Symbol.asyncDispose]();
});

const send = (step: string, name = SHARED_QUEUE) => {
  const job = { id: randomUUID(), queue: name, step };
  return database.transaction((queries) => queue.send(queries, job)).then(() => job);
};
const jobs = () => database.query<{ state: string }>('select state::text from pgboss.job');

async function sendAndFetch(step = 's1'): Promise<Job> {
  await send(step);
  const [job] = await queue.fetch(SHARED_QUEUE, 1);
  if (job === undefined) throw new Error('nothing was fetched');
  return job;
}

/** The job is taken from whoever holds it, and fetched by somebody else. */
async function fetchAgain(job: Job): Promise<Job> {
  await queue.giveBack(database, job);
  const [again] = await queue.fetch(job.queue, 1);
  if (again === undefined) throw new Error('nothing was fetched');
  return again;
}

test('a job that is sent in a transaction is fetched once that has committed', async () => {
  const heard: string[] = [];
  await using _listening = await database.listen(
    [JOBS_CHANNEL],
    (message) => void (message && heard.push(message.payload)),
  );
  const id = randomUUID();
  await database.transaction(async (queries) => {
    await queue.send(queries, { id, queue: SHARED_QUEUE, step: 's1' });
    expect(await queue.fetch(SHARED_QUEUE, 5)).toEqual([]);
  });
  await waitUntil(() => heard.length === 1, { timeoutMs: 5_000 });
  expect(heard).toEqual([SHARED_QUEUE]);
  expect(await queue.fetch(SHARED_QUEUE, 5)).toEqual([{ id, retryCount: 0, queue: SHARED_QUEUE, step: 's1' }]);
  expect(await queue.fetch(SHARED_QUEUE, 5)).toEqual([]);
});

test('a job that was sent in a transaction that was rolled back never was', async () => {
  await database
    .transaction(async (queries) => {
      await queue.send(queries, { id: randomUUID(), queue: SHARED_QUEUE, step: 's1' });
      throw new Error('no');
    })
    .catch(() => undefined);
  expect(await queue.fetch(SHARED_QUEUE, 5)).toEqual([]);
});

test('a second job of the same id is refused', async () => {
  const job = await send('s1');
  await expect(database.transaction((queries) => queue.send(queries, job))).rejects.toMatchObject({
    code: 'internal/bug',
  });
});

test('a completed job is gone, and one whose completion was rolled back is still held', async () => {
  const job = await sendAndFetch();
  await database
    .transaction(async (queries) => {
      expect(await queue.complete(queries, job)).toBe(true);
      throw new Error('no');
    })
    .catch(() => undefined);
  expect(await jobs()).toEqual([{ state: 'active' }]);
  expect(await queue.complete(database, job)).toBe(true);
  expect(await jobs()).toEqual([]);
  expect(await queue.complete(database, job)).toBe(false);
});

test('an older claim changes nothing any more', async () => {
  const zombie = await sendAndFetch();
  const job = await fetchAgain(zombie);
  expect(job).toEqual({ ...zombie, retryCount: 1 });
  expect(await queue.touch(database, [zombie])).toEqual([zombie]);
  expect(await queue.complete(database, zombie)).toBe(false);
  await queue.giveBack(database, zombie);
  expect(await jobs()).toEqual([{ state: 'active' }]);
  expect(await queue.touch(database, [job])).toEqual([]);
  expect(await queue.complete(database, job)).toBe(true);
});

test('touching tells of each job whether it is still held', async () => {
  await queue.open('w1');
  await send('own', queueOf('w1'));
  const [own] = await queue.fetch(queueOf('w1'), 1);
  const shared = [await sendAndFetch('a'), await sendAndFetch('b')];
  const all = [...shared, ...(own === undefined ? [] : [own])];
  expect(all.map((job) => job.step)).toEqual(['a', 'b', 'own']);
  expect(await queue.touch(database, all)).toEqual([]);
  const [a, b] = shared;
  if (a === undefined || b === undefined) throw new Error('unreachable');
  await queue.cancel(database, a);
  expect(await queue.touch(database, all)).toEqual([a]);
  await queue.complete(database, b);
  expect(await queue.touch(database, all)).toEqual([a, b]);
  expect(await queue.touch(database, [])).toEqual([]);
});

test('a cancelled job is taken from its holder, and never fetched where nobody held it', async () => {
  const held = await sendAndFetch();
  await queue.cancel(database, held);
  expect(await queue.complete(database, held)).toBe(false);
  const waiting = await send('s2');
  await queue.cancel(database, waiting);
  expect(await queue.fetch(SHARED_QUEUE, 5)).toEqual([]);
});

test('what many fetch at once nobody fetches twice', async () => {
  for (let n = 0; n < 30; n++) await send(`s${n}`);
  const fetched = (await Promise.all(Array.from({ length: 8 }, () => queue.fetch(SHARED_QUEUE, 5)))).flat();
  expect(new Set(fetched.map((job) => job.step)).size).toBe(30);
  expect(fetched).toHaveLength(30);
});

test('a job for a queue that this process has never heard of needs no second connection', async () => {
  await using other = openDatabase(fixture.place.url, { clock: systemClock });
  await using theirs = await openQueue(other, (error) => errors.push(error));
  await theirs.open('stranger');
  await using narrow = openDatabase(fixture.place.url, { clock: systemClock, connections: 1 });
  await using ours = await openQueue(narrow, (error) => errors.push(error));
  await theirs.open('later');
  await narrow.transaction((queries) => ours.send(queries, { id: randomUUID(), queue: queueOf('later'), step: 's1' }));
  expect(await theirs.fetch(queueOf('later'), 1)).toMatchObject([{ step: 's1' }]);
});
