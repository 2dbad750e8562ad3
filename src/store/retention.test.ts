import { afterAll, beforeAll, expect, test } from 'vitest';
import { SYSTEM } from '../domain/actor.ts';
import type { Database } from './database.ts';
import type { NewEvent } from './events.ts';
import { insertBareRun, type StoreFixture, storeFixture } from './fixture.ts';
import { markDone, putOut } from './outbox.ts';
import { deleteRun, discardedRuns, endedRuns, forgetTrash } from './retention.ts';
import { getRun, updateRun } from './runs.ts';

let fixture: StoreFixture;
let database: Database;
const ended_at = new Date('2026-01-01T00:00:00Z');
const said: NewEvent = {
  at: new Date('2026-03-01T00:00:00Z'),
  actor: SYSTEM,
  payload: { kind: 'message', level: 'warning', text: 'Gone.' },
};

beforeAll(async () => {
  fixture = await storeFixture();
  ({ database } = fixture);
});
afterAll(() => fixture[Symbol.asyncDispose]());

async function discarded(id: string) {
  await insertBareRun(database, id);
  await updateRun(database, id, { state: { kind: 'discarded' }, state_before: { kind: 'cancelled' }, ended_at });
  const [run] = (await discardedRuns(database, new Date())).filter((one) => one.id === id);
  if (run === undefined) throw new Error('it is not listed');
  return run;
}

const restored = (id: string) => updateRun(database, id, { state: { kind: 'cancelled' }, state_before: null });
const restore = (run: string) =>
  putOut(database, { id: `restore-${run}`, run, kind: 'restore', worker: null, at: new Date() });

/** Whether the refs would have gone. */
async function dropped(of: (drop: () => Promise<void>) => Promise<boolean>): Promise<boolean> {
  let isDropped = false;
  const isDone = await of(async () => {
    isDropped = true;
  });
  expect(isDone).toBe(isDropped);
  return isDropped;
}

test('a run that was restored since it was looked at keeps its commits, and its place in the database', async () => {
  const run = await discarded('back');
  await restored('back');
  await restore('back');
  expect(await dropped((drop) => forgetTrash(database, run, { said, drop }))).toBe(false);
  await markDone(database, 'restore-back');
  expect(await dropped((drop) => forgetTrash(database, run, { said, drop }))).toBe(false);
  expect((await getRun(database, 'back')).state).toEqual({ kind: 'cancelled' });
});

test('a run whose refs are still on their way is left alone, also when it is otherwise as it was', async () => {
  await insertBareRun(database, 'moving');
  await updateRun(database, 'moving', { state: { kind: 'cancelled' }, ended_at });
  const run = (await endedRuns(database, new Date())).find(({ id }) => id === 'moving');
  if (run === undefined) throw new Error('it is not listed');
  await restore('moving');
  expect(await dropped((drop) => deleteRun(database, run, { drop }))).toBe(false);
  await markDone(database, 'restore-moving');
  expect((await getRun(database, 'moving')).id).toBe('moving');
});

test('a run that is as it was loses what it has in the trash', async () => {
  const run = await discarded('old');
  expect(await dropped((drop) => forgetTrash(database, run, { said, drop }))).toBe(true);
  expect(await getRun(database, 'old')).toMatchObject({ state: { kind: 'discarded' }, state_before: null });
});
