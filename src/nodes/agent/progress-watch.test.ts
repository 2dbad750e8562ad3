import { expect, test } from 'vitest';
import { ProgressWatch } from './progress-watch.ts';

function watch(state: () => string) {
  const looked: string[] = [];
  const progress = new ProgressWatch({
    repeats: 5,
    now: () => 0,
    state: async () => {
      looked.push(state());
      return state();
    },
  });
  const call = async (number: string) => {
    await progress.add({ kind: 'tool-started', call: number, name: 'run', input: 'next' });
    await progress.add({ kind: 'tool-ended', call: number, name: 'run', output: 'completed', ok: true });
  };
  return { progress, call, looked };
}

test('calls that look the same are a loop when they change nothing', async () => {
  const { progress, call, looked } = watch(() => 'as before');
  for (const number of ['1', '2', '3', '4']) await call(number);
  expect(progress.loop).toBeUndefined();
  await call('5');
  expect(progress.loop).toMatchObject({ kind: 'cycle', times: 5 });
  expect(looked).toHaveLength(2);
});

test('calls that look the same are no loop while each changes something', async () => {
  let state = 0;
  const { progress, call, looked } = watch(() => String(state));
  for (let number = 0; number < 100; number += 1) {
    state += 1;
    await call(String(number));
  }
  expect(progress.loop).toBeUndefined();
  expect(looked.length).toBeLessThanOrEqual(40);
});

test('the workspace is not looked at without a suspicion', async () => {
  const { progress, looked } = watch(() => 'as before');
  for (let call = 0; call < 100; call += 1) {
    await progress.add({ kind: 'tool-started', call: `${call}`, name: 'run', input: `step ${call}` });
    await progress.add({ kind: 'tool-ended', call: `${call}`, name: 'run', output: '', ok: true });
  }
  expect(looked).toEqual([]);
});
