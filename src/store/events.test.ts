import { afterAll, beforeAll, expect, test } from 'vitest';
import { SYSTEM } from '../domain/actor.ts';
import type { Event, EventPayload } from '../domain/event.ts';
import { waitUntil } from '../lib/wait-until.ts';
import { beginAttempt, toldBy } from './attempts.ts';
import type { Database } from './database.ts';
import { appendEvents, EVENTS_CHANNEL, readEvents, tellEvents } from './events.ts';
import { insertBareRun, insertBareStep, type StoreFixture, storeFixture } from './fixture.ts';
import { getRun, holdRun } from './runs.ts';

let fixture: StoreFixture;
let database: Database;

beforeAll(async () => {
  fixture = await storeFixture();
  ({ database } = fixture);
});

afterAll(() => fixture[Symbol.asyncDispose]());

const AT = new Date('2026-01-02T03:04:05.678Z');
const said = (text: string): EventPayload => ({ kind: 'message', level: 'info', text });
const spoke = (text: string): EventPayload => ({ kind: 'agent.text', node: 'implement', n: 1, text });
const append = (run: string, ...payloads: readonly EventPayload[]) =>
  database.transaction((queries) =>
    appendEvents(
      queries,
      run,
      payloads.map((payload) => ({ actor: SYSTEM, at: AT, payload })),
    ),
  );

async function readAll(run: string, limit?: number): Promise<Event[]> {
  const all: Event[] = [];
  for (;;) {
    const more = await readEvents(database, run, all.length + 1, limit);
    if (more.length === 0) return all;
    all.push(...more);
  }
}

test('what is appended is read back as it was, numbered from 1', async () => {
  await insertBareRun(database, 'r1');
  await append('r1', said('first'), { kind: 'run.started', blueprint: 'pr', base: 'abc', title: 'T' });
  await append('r1');
  await append('r1', spoke('hello'));
  expect(await readAll('r1')).toEqual([
    { seq: 1, at: AT.toISOString(), run: 'r1', actor: SYSTEM, kind: 'message', level: 'info', text: 'first' },
    {
      seq: 2,
      at: AT.toISOString(),
      run: 'r1',
      actor: SYSTEM,
      kind: 'run.started',
      blueprint: 'pr',
      base: 'abc',
      title: 'T',
    },
    {
      seq: 3,
      at: AT.toISOString(),
      run: 'r1',
      actor: SYSTEM,
      kind: 'agent.text',
      node: 'implement',
      n: 1,
      text: 'hello',
    },
  ]);
});

test('twenty writers at once leave no gap and none of their events out of order', async () => {
  await insertBareRun(database, 'r2');
  const writers = Array.from({ length: 20 }, (_, writer) => writer);
  const reading = new AbortController();
  const gaps: string[] = [];
  const reader = (async () => {
    while (!reading.signal.aborted) {
      const seqs = (await readEvents(database, 'r2', 1, 10_000)).map((event) => event.seq);
      if (seqs.some((seq, index) => seq !== index + 1)) gaps.push(seqs.join());
    }
  })();
  await Promise.all(
    writers.map(async (writer) => {
      for (let batch = 0; batch < 10; batch++) {
        const text = `${writer} ${batch}`;
        await append('r2', said(`${text} a`), spoke(`${text} b`), spoke(`${text} c`), said(`${text} d`));
      }
    }),
  );
  reading.abort();
  await reader;
  expect(gaps).toEqual([]);
  const events = await readAll('r2');
  expect(events.map((event) => event.seq)).toEqual(Array.from({ length: 800 }, (_, index) => index + 1));
  for (const writer of writers) {
    const own = events.flatMap((event) => ('text' in event && event.text.startsWith(`${writer} `) ? [event.text] : []));
    expect(own).toEqual(
      Array.from({ length: 10 }, (_, batch) => ['a', 'b', 'c', 'd'].map((part) => `${writer} ${batch} ${part}`)).flat(),
    );
  }
});

test('what was rolled back leaves no gap', async () => {
  await insertBareRun(database, 'r3');
  await append('r3', said('one'));
  await database
    .transaction(async (queries) => {
      await appendEvents(queries, 'r3', [{ actor: SYSTEM, at: AT, payload: said('never') }]);
      throw new Error('no');
    })
    .catch(() => undefined);
  await append('r3', said('two'));
  expect((await readAll('r3')).map((event) => event.seq)).toEqual([1, 2]);
});

test('journal and transcript come in order, page by page, from anywhere', async () => {
  await insertBareRun(database, 'r4');
  for (let batch = 0; batch < 12; batch++) {
    const words = Array.from({ length: 7 }, (_, n) => spoke(`${batch}.${n}`));
    await append('r4', ...words, said(`between ${batch}`), ...words.slice(0, 3));
  }
  const all = await readAll('r4');
  expect(all.map((event) => event.seq)).toEqual(Array.from({ length: 132 }, (_, index) => index + 1));
  for (const limit of [1, 2, 5]) expect(await readAll('r4', limit)).toEqual(all);
  for (const from of [1, 3, 8, 9, 100, 132]) expect((await readEvents(database, 'r4', from))[0]).toEqual(all[from - 1]);
  expect(await readEvents(database, 'r4', 133)).toEqual([]);
});

test('what PostgreSQL cannot hold becomes the replacement character, in names as in values', async () => {
  await insertBareRun(database, 'r5');
  const hostile = 'nul \0, half \ud800 and \udfff, whole \u{1f600}, escape \\u0000, quote "';
  await append('r5', spoke(hostile), said(hostile), {
    kind: 'run.ended',
    state: {
      kind: 'failed',
      reason: { code: 'x', message: hostile, ['na\0me']: 1 } as { code: string; message: string },
    },
  });
  const kept = 'nul \ufffd, half \ufffd and \ufffd, whole \u{1f600}, escape \\u0000, quote "';
  const [first, second, third] = await readAll('r5');
  expect(first).toMatchObject({ text: kept });
  expect(second).toMatchObject({ text: kept });
  expect(third).toMatchObject({ state: { reason: { message: kept, 'na\ufffdme': 1 } } });
});

test('a huge text is kept whole', async () => {
  await insertBareRun(database, 'r6');
  const text = 'x\n"\u{1f600}'.repeat(2_000_000);
  await append('r6', spoke(text), said('after'));
  const [event, after] = await readAll('r6');
  expect(event?.kind === 'agent.text' && event.text === text).toBe(true);
  expect(after).toMatchObject({ seq: 2, text: 'after' });
});

test('listeners hear of a journal that has grown, once it can be read', async () => {
  await insertBareRun(database, 'r7');
  const heard: string[] = [];
  await using _listening = await database.listen(
    [EVENTS_CHANNEL],
    (message) => void (message && heard.push(message.payload)),
  );
  await append('r7', said('a'));
  await waitUntil(() => heard.length === 1, { timeoutMs: 5_000 });
  await append('r7', spoke('b'));
  await waitUntil(() => heard.length === 2, { timeoutMs: 5_000 });
  expect(heard).toEqual(['r7', 'r7']);
});

test('the run is changed along with its journal, and without anything to append as well', async () => {
  await insertBareRun(database, 'changed', 'changed');
  const state = { kind: 'running' } as const;
  await appendEvents(database, 'changed', events(said('a')), { state, head: 'c1' });
  expect(await getRun(database, 'changed')).toMatchObject({
    state,
    state_kind: 'running',
    head: 'c1',
    delivered: null,
  });
  await appendEvents(database, 'changed', [], { head: 'c2' });
  await appendEvents(database, 'changed', []);
  expect((await getRun(database, 'changed')).head).toBe('c2');
  expect((await readAll('changed')).map(({ seq }) => seq)).toEqual([1]);
});

async function attempted(run: string): Promise<{ run: string; step: string; n: number }> {
  const step = `step-${run}`;
  await insertBareRun(database, run, run);
  await insertBareStep(database, { id: step, run });
  await beginAttempt(database, { step, n: 1, worker: 'w1', at: AT });
  return { run, step, n: 1 };
}

const events = (...payloads: readonly EventPayload[]) =>
  payloads.map((payload) => ({ actor: SYSTEM, at: AT, payload }));

test('what an attempt tells is appended and counted, words among it', async () => {
  const attempt = await attempted('told');
  expect(await tellEvents(database, { ...attempt, told: 0 }, events(said('a'), spoke('b')))).toBe(true);
  expect(await tellEvents(database, { ...attempt, told: 2 }, events(said('c')))).toBe(true);
  expect((await readAll('told')).map((event) => ('text' in event ? event.text : ''))).toEqual(['a', 'b', 'c']);
  expect(await toldBy(database, attempt)).toBe(3);
});

test('what is told twice is appended once', async () => {
  const attempt = await attempted('twice');
  expect(await tellEvents(database, { ...attempt, told: 0 }, events(said('a')))).toBe(true);
  expect(await tellEvents(database, { ...attempt, told: 0 }, events(said('a')))).toBe(false);
  expect(await readAll('twice')).toHaveLength(1);
  expect(await toldBy(database, attempt)).toBe(1);
});

test('an attempt tells nothing once another has the lease, also when it was just being given', async () => {
  const attempt = await attempted('lost');
  let telling: Promise<boolean> | undefined;
  await database.transaction(async (queries) => {
    await holdRun(queries, 'lost');
    telling = tellEvents(database, { ...attempt, told: 0 }, events(said('late')));
    await waitUntil(
      async () =>
        (await queries.query(`select 1 from pg_locks where not granted and pid <> pg_backend_pid()`)).length > 0,
      { timeoutMs: 10_000, what: 'it to wait for the run' },
    );
    await beginAttempt(queries, { step: attempt.step, n: 2, worker: 'w2', at: AT });
  });
  expect(await telling).toBe(false);
  expect(await tellEvents(database, { ...attempt, told: 0 }, events(said('later')))).toBe(false);
  expect(await readAll('lost')).toEqual([]);
  expect(await tellEvents(database, { ...attempt, n: 2, told: 0 }, events(said('mine')))).toBe(true);
});

test('what is told while somebody else appends comes behind that, without a gap', async () => {
  const attempt = await attempted('both');
  let telling: Promise<boolean> | undefined;
  await database.transaction(async (queries) => {
    await appendEvents(queries, 'both', events(said('first')));
    telling = tellEvents(database, { ...attempt, told: 0 }, events(said('second')));
    await waitUntil(
      async () =>
        (await queries.query(`select 1 from pg_locks where not granted and pid <> pg_backend_pid()`)).length > 0,
      { timeoutMs: 10_000, what: 'it to wait for the run' },
    );
  });
  expect(await telling).toBe(true);
  expect((await readAll('both')).map(({ seq }) => seq)).toEqual([1, 2]);
});
