import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type StoreFixture, storeFixture } from './fixture.ts';
import { forgetQuotas, notePause, pauseOf } from './upstream-pauses.ts';

let store: StoreFixture;

beforeAll(async () => {
  store = await storeFixture();
});

beforeEach(() => store.database.query('truncate upstream_pause, upstream_model_pause'));

afterAll(() => store[Symbol.asyncDispose]());

const UPSTREAM = { host: 'api.example.com', credential: 'THE_KEY' };
const [NOW, LATER, LATEST] = [1_000_000, 2_000_000, 3_000_000];

function until(model: string | undefined, upstream: typeof UPSTREAM = UPSTREAM, at = NOW) {
  return pauseOf(store.database, { ...upstream, model }, new Date(at));
}

test('a pause of a credential holds for all its models until it is over, and for no other credential', async () => {
  await notePause(store.database, UPSTREAM, { kind: 'quota', until: LATER });
  expect(await until('pro')).toEqual({ kind: 'quota', until: LATER });
  expect(await until(undefined)).toEqual({ kind: 'quota', until: LATER });
  expect(await until('pro', UPSTREAM, LATER)).toBeUndefined();
  expect(await until('pro', { ...UPSTREAM, credential: 'OTHER' })).toBeUndefined();
});

test('a pause of a model holds for that one, and for no other of the same credential', async () => {
  await notePause(store.database, UPSTREAM, { kind: 'quota', until: LATER, model: 'pro' });
  expect(await until('pro')).toEqual({ kind: 'quota', until: LATER, model: 'pro' });
  expect(await until('flash')).toBeUndefined();
  expect(await until(undefined)).toBeUndefined();
  expect(await until('pro', { ...UPSTREAM, credential: 'OTHER' })).toBeUndefined();
  expect(await until('pro', UPSTREAM, LATER)).toBeUndefined();
});

test('of the pauses of a model and of all, a quota counts before a rate limit, else the longer one', async () => {
  await notePause(store.database, UPSTREAM, { kind: 'rate-limit', until: LATEST });
  await notePause(store.database, UPSTREAM, { kind: 'quota', until: LATER, model: 'pro' });
  expect(await until('pro')).toEqual({ kind: 'quota', until: LATER, model: 'pro' });
  await notePause(store.database, UPSTREAM, { kind: 'rate-limit', until: LATER, model: 'flash' });
  expect(await until('flash')).toEqual({ kind: 'rate-limit', until: LATEST });
});

test.each([undefined, 'pro'])(
  'a pause of %j that ends earlier than the one that is known changes nothing, one that ends later does',
  async (model) => {
    await notePause(store.database, UPSTREAM, { kind: 'quota', until: LATER, model });
    await notePause(store.database, UPSTREAM, { kind: 'rate-limit', until: LATER - 1, model });
    expect(await until('pro')).toMatchObject({ kind: 'quota', until: LATER });
    await notePause(store.database, UPSTREAM, { kind: 'rate-limit', until: LATEST, model });
    expect(await until('pro')).toMatchObject({ kind: 'rate-limit', until: LATEST });
  },
);

test('quotas that are forgotten hold no more, of a model either; rate limits do', async () => {
  await notePause(store.database, UPSTREAM, { kind: 'quota', until: LATER, model: 'pro' });
  await notePause(store.database, UPSTREAM, { kind: 'rate-limit', until: LATER, model: 'flash' });
  await notePause(store.database, UPSTREAM, { kind: 'quota', until: LATER });
  await forgetQuotas(store.database);
  expect(await until('pro')).toBeUndefined();
  expect(await until('flash')).toMatchObject({ kind: 'rate-limit' });
});

test('a name that PostgreSQL has no place for is one like any other', async () => {
  await notePause(store.database, UPSTREAM, { kind: 'quota', until: LATER, model: 'a\0b' });
  expect(await until('a\0b')).toMatchObject({ kind: 'quota' });
  expect(await until('ab')).toBeUndefined();
});
