import { expect, test } from 'vitest';
import { OneAtATime } from './one-at-a-time.ts';

test('what concerns the same thing waits for what came before it, also when that fails', async () => {
  const turns = new OneAtATime();
  const did: string[] = [];
  const first = Promise.withResolvers<void>();
  const failing = turns.run('a', async () => {
    await first.promise;
    did.push('first');
    throw new Error('first failed');
  });
  const second = turns.run('a', async () => void did.push('second'));
  await turns.run('b', async () => void did.push('other'));
  expect(did).toEqual(['other']);
  expect([turns.isBusy('a'), turns.isBusy('c')]).toEqual([true, false]);
  first.resolve();
  await expect(failing).rejects.toThrow('first failed');
  await second;
  expect(did).toEqual(['other', 'first', 'second']);
  expect(await turns.run('a', async () => 3)).toBe(3);
});
