import { afterAll, beforeAll, expect, test } from 'vitest';
import { NO_USAGE } from '../domain/run.ts';
import type { Database } from './database.ts';
import { insertBareRun, insertBareStep, type StoreFixture, storeFixture } from './fixture.ts';
import { addConsumed, freeSlug, getRun, lockRun, resolveRun, updateRun } from './runs.ts';
import { latestStep, stepsOf } from './steps.ts';
import { getTask, insertTask } from './tasks.ts';

let fixture: StoreFixture;
let database: Database;

beforeAll(async () => {
  fixture = await storeFixture();
  ({ database } = fixture);
});

afterAll(() => fixture[Symbol.asyncDispose]());

test('a run is found by id, slug, prefix of an id, and as the last one', async () => {
  await insertBareRun(database, 'abc1', 'first');
  await insertBareRun(database, 'abd2', 'abc');
  expect((await resolveRun(database, 'abc1')).id).toBe('abc1');
  expect((await resolveRun(database, 'first')).id).toBe('abc1');
  expect((await resolveRun(database, 'abd')).id).toBe('abd2');
  expect((await resolveRun(database, '@last')).id).toBe('abd2');
  // A slug is meant before a beginning of another's id.
  expect((await resolveRun(database, 'abc')).id).toBe('abd2');
  await expect(resolveRun(database, 'ab')).rejects.toMatchObject({ code: 'run/ambiguous' });
  for (const unknown of ['', 'zz', '%', 'ab_', '@first']) {
    await expect(resolveRun(database, unknown)).rejects.toMatchObject({ code: 'run/not-found' });
  }
});

test('for the beginning of a slug, the one run that is meant is named, and none of several', async () => {
  await insertBareRun(database, 'x1', 'add-stock-k7mz');
  await insertBareRun(database, 'x2', 'add-shop-a1b2');
  const hintFor = (reference: string) => resolveRun(database, reference).catch(({ hint }: { hint: string }) => hint);
  expect(await hintFor('add-st')).toBe('Did you mean add-stock-k7mz? See `switchyard ls --all`.');
  for (const none of ['add-', 'stock', '', 'add_st', 'add%'])
    expect(await hintFor(none)).toBe('See `switchyard ls --all`.');
});

test('a slug that is taken gets a number that is free', async () => {
  const next = async () => {
    const slug = await database.transaction((queries) => freeSlug(queries, 'same'));
    await insertBareRun(database, `s${slug.replaceAll('-', '')}`, slug);
    return slug;
  };
  const slugs: string[] = [];
  for (let n = 1; n <= 12; n++) slugs.push(await next());
  expect(slugs).toEqual(['same', ...Array.from({ length: 11 }, (_, index) => `same-${index + 2}`)]);
  await insertBareRun(database, 'other', 'other-2');
  expect(await freeSlug(database, 'other')).toBe('other');
});

test('two who want the same slug at once get different ones', async () => {
  const slugs = await Promise.all(
    Array.from({ length: 6 }, (_, n) =>
      database.transaction(async (queries) => {
        const slug = await freeSlug(queries, 'wanted');
        await insertBareRun({ ...database, ...queries }, `w${n}`, slug);
        return slug;
      }),
    ),
  );
  expect(new Set(slugs).size).toBe(6);
});

test('what is consumed at the same time adds up, also beside ends of steps', async () => {
  await insertBareRun(database, 'used');
  const add = () => addConsumed(database, 'used', { turns: 1, usage: { ...NO_USAGE, input: 10, cost: 0.5 } });
  const work = () =>
    database.transaction(async (queries) => {
      const { consumed } = await lockRun(queries, 'used');
      await updateRun(queries, 'used', { consumed: { ...consumed, wall: consumed.wall + 100 } });
    });
  await Promise.all(Array.from({ length: 30 }, (_, n) => (n % 3 === 0 ? work() : add())));
  expect((await getRun(database, 'used')).consumed).toEqual({
    wall: 1000,
    turns: 20,
    usage: { input: 200, output: 0, cached: 0, reasoning: 0, cost: 10 },
  });
});

test('a price that nobody knows stays unknown, and one that is known once counts from there on', async () => {
  await insertBareRun(database, 'price');
  const add = (cost: number | null) =>
    addConsumed(database, 'price', { turns: 0, usage: { input: 1, output: 2, cached: 3, reasoning: 4, cost } });
  await add(null);
  expect((await getRun(database, 'price')).consumed).toEqual({
    wall: 0,
    turns: 0,
    usage: { input: 1, output: 2, cached: 3, reasoning: 4, cost: null },
  });
  await add(0.25);
  await add(null);
  expect((await getRun(database, 'price')).consumed.usage).toEqual({
    input: 3,
    output: 6,
    cached: 9,
    reasoning: 12,
    cost: 0.25,
  });
  await expect(addConsumed(database, 'none', { turns: 1, usage: NO_USAGE })).rejects.toMatchObject({
    code: 'run/not-found',
  });
});

test('a slug is found free beyond hundreds that are taken', async () => {
  await insertBareRun(database, 'many', 'many');
  await database.query(
    `insert into run (id, task, slug, repository, state, blueprint, flow, settings, base_ref, base_commit, head, consumed, requester, created_at)
     select 'many' || n, task, 'many-' || n, repository, state, blueprint, flow, settings, base_ref, base_commit, head, consumed, requester, created_at
     from run, generate_series(2, 1500) n where id = 'many'`,
  );
  expect(await freeSlug(database, 'many')).toBe('many-1501');
});

test('steps keep the order in which the run came to them, also within one millisecond', async () => {
  await insertBareRun(database, 'ordered');
  const created_at = new Date();
  for (const id of ['z', 'm', 'a', 'q'])
    await insertBareStep(database, { id: `o-${id}`, run: 'ordered', node: id, created_at });
  expect((await stepsOf(database, 'ordered')).map((step) => step.node)).toEqual(['z', 'm', 'a', 'q']);
  expect((await latestStep(database, 'ordered'))?.node).toBe('q');
});

test('a step is never passed over silently because there is one of its name', async () => {
  await insertBareRun(database, 'twice');
  await insertBareStep(database, { id: 't1', run: 'twice' });
  await expect(insertBareStep(database, { id: 't2', run: 'twice' })).rejects.toThrow(/has a step implement #1 already/);
});

test('one origin never makes two tasks', async () => {
  const task = { ...(await getTask(database, 'task-used')), origin: 'ticket-7' };
  expect(await insertTask(database, { ...task, id: 'first-of-7' }, new Date())).toBe('first-of-7');
  expect(await insertTask(database, { ...task, id: 'second-of-7', title: 'Other' }, new Date())).toBe('first-of-7');
  expect((await getTask(database, 'first-of-7')).title).toBe('Fix it');
});
