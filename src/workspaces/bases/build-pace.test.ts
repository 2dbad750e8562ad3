import { expect, test } from 'vitest';
import { ManualClock } from '../../testing/manual-clock.ts';
import { BuildPace } from './build-pace.ts';

test('a base is due when none was made yet, and after a build only when nineteen times as long has passed', async () => {
  const clock = new ManualClock();
  const pace = new BuildPace(clock);
  expect(pace.isDue('shop')).toBe(true);
  await pace.build('shop', () => clock.advance(1_000));
  expect(pace.isDue('shop')).toBe(false);
  expect(pace.isDue('another')).toBe(true);
  await clock.advance(18_999);
  expect(pace.isDue('shop')).toBe(false);
  await clock.advance(1);
  expect(pace.isDue('shop')).toBe(true);
});

test('one that failed, or took no time, is not tried again at once', async () => {
  const clock = new ManualClock();
  const pace = new BuildPace(clock);
  await expect(pace.build('shop', () => Promise.reject(new Error('no room')))).rejects.toThrow('no room');
  expect(pace.isDue('shop')).toBe(false);
  await clock.advance(2_000);
  expect(pace.isDue('shop')).toBe(true);
});
