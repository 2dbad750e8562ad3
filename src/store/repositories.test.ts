import { afterAll, beforeAll, expect, test } from 'vitest';
import { type StoreFixture, storeFixture } from './fixture.ts';
import { getRepository, upsertRepository } from './repositories.ts';

let fixture: StoreFixture;

beforeAll(async () => {
  fixture = await storeFixture();
});

afterAll(() => fixture[Symbol.asyncDispose]());

test('a repository that many make known at the same time is known once', async () => {
  const { database } = fixture;
  for (let round = 0; round < 20; round++) {
    const row = { id: `repo-${round}`, path: `/work/${round}`, common_dir: `/work/${round}/.git` };
    await Promise.all(Array.from({ length: 8 }, () => upsertRepository(database, row, new Date())));
    expect(await getRepository(database, row.id)).toEqual(row);
  }
});

test('a repository that was moved is found where it is now, and keeps what is known of its git directory', async () => {
  const { database } = fixture;
  await upsertRepository(database, { id: 'moved', path: '/old', common_dir: '/old/.git' }, new Date());
  await upsertRepository(database, { id: 'moved', path: '/new', common_dir: null }, new Date());
  expect(await getRepository(database, 'moved')).toEqual({ id: 'moved', path: '/new', common_dir: '/old/.git' });
});
