import { expect, test } from 'vitest';
import { pause, waitUntil } from './wait-until.ts';

test('waiting returns the first truthy answer', async () => {
  let looks = 0;
  expect(await waitUntil(() => ++looks === 3 && 'third', { timeoutMs: 5_000, everyMs: 1 })).toBe('third');
  expect(looks).toBe(3);
});

test('waiting ends with an error that says what was waited for', async () => {
  await expect(waitUntil(() => false, { timeoutMs: 5, everyMs: 1, what: 'a miracle' })).rejects.toMatchObject({
    code: 'wait/timeout',
    message: expect.stringContaining('a miracle'),
  });
});

test('an abort ends the waiting with its reason, and the condition is not asked again', async () => {
  const abort = new AbortController();
  const reason = new Error('stop it');
  let looks = 0;
  const waiting = waitUntil(
    () => {
      looks++;
      abort.abort(reason);
      return false;
    },
    { timeoutMs: 60_000, everyMs: 60_000, signal: abort.signal },
  );
  await expect(waiting).rejects.toBe(reason);
  expect(looks).toBe(1);
  await expect(pause(60_000, abort.signal)).rejects.toBe(reason);
});

test('an error of the condition ends the waiting', async () => {
  const failing = () => {
    throw new Error('cannot look');
  };
  await expect(waitUntil(failing, { timeoutMs: 5_000 })).rejects.toThrow('cannot look');
});
