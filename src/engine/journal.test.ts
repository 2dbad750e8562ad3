import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { EventPayload } from '../domain/event.ts';
import { waitUntil } from '../lib/wait-until.ts';
import { SHARED_QUEUE } from '../store/queue.ts';
import { type Claim, claim } from './claim.ts';
import type { Engine } from './engine.ts';
import { type EngineFixture, engineFixture } from './fixture/engine-fixture.ts';
import { Journal } from './journal.ts';

let fixture: EngineFixture;
let claimed: Claim;

beforeAll(async () => {
  fixture = await engineFixture();
});

beforeEach(async () => {
  await fixture.start('start: work\nnodes:\n  work: { agent: codex, next: done, on: { unchanged: failed } }');
  claimed = await claimNext('w1');
});

afterAll(() => fixture[Symbol.asyncDispose]());

async function claimNext(worker: string): Promise<Claim> {
  const { engine } = fixture;
  const [job] = await engine.queue.fetch(SHARED_QUEUE, 1);
  const made = job === undefined ? undefined : await claim(engine, worker, job);
  if (made === undefined) throw new Error('nothing was claimed');
  return made;
}

const journalOf = (engine: Engine = fixture.engine) => new Journal(engine, claimed, { kind: 'system', name: 'w1' });
const words = (text: string): EventPayload => ({ kind: 'agent.text', node: 'work', n: 1, text });
const tool = (name: string): EventPayload => ({
  kind: 'agent.tool',
  node: 'work',
  n: 1,
  call: name,
  phase: 'started',
  name,
});
const message = (text: string): EventPayload => ({ kind: 'message', level: 'info', text });
const texts = async () =>
  (await fixture.events(claimed.run.id)).flatMap((event) =>
    'text' in event ? [event.text] : 'name' in event ? [event.name] : [],
  );
const rows = async () => {
  const [row] = await fixture.engine.database.query<{ count: number }>(
    'select count(*)::int as count from transcript where run = $1',
    [claimed.run.id],
  );
  return row?.count;
};

/** The engine with a database that does something else with what it is to store. */
function engineWith(store: <T>(work: () => Promise<T>) => Promise<T>): Engine {
  const { engine } = fixture;
  const { database } = engine;
  return {
    ...engine,
    database: {
      ...database,
      query: (text, values) => store(() => database.query(text, values)),
      transaction: (work) => store(() => database.transaction(work)),
    },
  };
}

test('events are stored in the order in which they were added, whoever waits for which', async () => {
  await using journal = journalOf();
  const expected: string[] = [];
  const adding: Promise<void>[] = [];
  for (let n = 0; n < 300; n++) {
    const text = `${n}`;
    expected.push(text);
    adding.push(journal.add(n % 7 === 0 ? message(text) : tool(text)));
  }
  await Promise.all(adding);
  await journal.flush();
  expect(await texts()).toEqual(expected);
});

test('an agent’s words are gathered, and stored soon without being asked for', async () => {
  await using journal = journalOf();
  for (let n = 0; n < 50; n++) await journal.add(tool(`${n}`));
  expect(await texts()).toEqual([]);
  await waitUntil(async () => (await texts()).length === 50, { timeoutMs: 5_000 });
  expect(await rows()).toBe(1);
});

test('an agent that prints faster than the database writes has to wait, by count and by size', async () => {
  await using journal = journalOf();
  for (let n = 0; n < 499; n++) await journal.add(tool('x'));
  expect(await rows()).toBe(0);
  await journal.add(tool('x'));
  expect(await texts()).toHaveLength(500);
  await journal.add(words('y'.repeat(1_000_000)));
  expect(await texts()).toHaveLength(501);
});

test('lines that come together are one event, up to a size, and no event takes in what another node or kind has said', async () => {
  await using journal = journalOf();
  await journal.add(words('one'));
  await journal.add(words('two'));
  await journal.add(tool('between'));
  await journal.add(words('three'));
  await journal.add(words('x'.repeat(16 * 1024)));
  await journal.add(words('four'));
  await journal.flush();
  await journal.add(words('five'));
  await journal.flush();
  expect(await texts()).toEqual(['one\ntwo', 'between', 'three', 'x'.repeat(16 * 1024), 'four', 'five']);
});

test('an agent that says too much is cut off, and that is said once', async () => {
  await using journal = journalOf();
  const megabyte = 'x'.repeat(2 ** 20);
  for (let n = 0; n < 20; n++) await journal.add(words(megabyte));
  await journal.add(message('what the harness says is kept'));
  const all = await texts();
  expect(all.filter((text) => text === megabyte).length).toBeLessThanOrEqual(16);
  expect(all.slice(-2)).toEqual([expect.stringContaining('16 MiB'), 'what the harness says is kept']);
});

test('disposing stores what is left', async () => {
  {
    await using journal = journalOf();
    await journal.add(words('last words'));
  }
  expect(await texts()).toEqual(['last words']);
});

test('nothing is stored once the lease is lost', async () => {
  const journal = journalOf();
  await journal.add(message('while it was held'));
  await fixture.engine.queue.giveBack(fixture.engine.database, claimed.job);
  const before = claimed;
  claimed = await claimNext('w2');
  expect(claimed.attempt).toBe(2);
  await journal.add(message('too late'));
  await journal[Symbol.asyncDispose]();
  expect(before.run.id).toBe(claimed.run.id);
  expect(await texts()).toEqual(['while it was held']);
});

test('events whose commit went unheard are not stored twice', async () => {
  await using journal = journalOf(
    engineWith(async (work) => {
      await work();
      return work();
    }),
  );
  await journal.add(message('one'));
  await journal.add(words('two'));
  await journal.add(message('three'));
  expect(await texts()).toEqual(['one', 'two', 'three']);
  expect((await fixture.events(claimed.run.id)).map((event) => event.seq)).toEqual([1, 2, 3, 4, 5, 6]);
});

test('events of which nobody knows whether they were committed are stored once, with what came after them', async () => {
  let isUnheard = true;
  await using journal = journalOf(
    engineWith(async (work) => {
      const result = await work();
      if (isUnheard) throw new Error('away');
      return result;
    }),
  );
  await expect(journal.add(message('one'))).rejects.toThrow('away');
  await journal.add(words('two'));
  await expect(journal.flush()).rejects.toThrow('away');
  isUnheard = false;
  await journal.add(words('three'));
  await journal.add(message('four'));
  await journal.add(message('five'));
  expect(await texts()).toEqual(['one', 'two', 'three', 'four', 'five']);
});

test('what could not be stored is stored with what comes next, in order', async () => {
  let isAway = true;
  await using journal = journalOf(engineWith((work) => (isAway ? Promise.reject(new Error('away')) : work())));
  await journal.add(words('one'));
  await expect(journal.add(message('two'))).rejects.toThrow('away');
  await expect(journal.flush()).rejects.toThrow('away');
  isAway = false;
  await journal.add(message('three'));
  expect(await texts()).toEqual(['one', 'two', 'three']);
});
