import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { Count, Dollars, Duration, formatCount, formatDollars, formatDuration } from './units.ts';

test.each([
  ['90s', 90_000],
  ['15m', 900_000],
  ['2h', 7_200_000],
  ['1h30m', 5_400_000],
  ['1.5h', 5_400_000],
  ['500ms', 500],
  ['2d', 172_800_000],
])('the duration %s is %i milliseconds', (text, milliseconds) => {
  expect(Duration.decode(text)).toBe(milliseconds);
});

test.each(['', '90', '0s', '-5s', '5 s', '5x', 'h', '1h ', '99999999999999999d'])('%j is not a duration', (text) => {
  expect(Duration.safeDecode(text).success).toBe(false);
});

test.each([
  ['5 USD', 5],
  ['0.50 USD', 0.5],
  ['12USD', 12],
])('%s is %d dollars', (text, dollars) => {
  expect(Dollars.decode(text)).toBe(dollars);
});

test.each(['5', '5 EUR', '$5', '0 USD', '-1 USD', 'USD'])('%j is not an amount of dollars', (text) => {
  expect(Dollars.safeDecode(text).success).toBe(false);
});

test.each([
  ['60', 60],
  [60, 60],
  ['500k', 500_000],
  ['3M', 3_000_000],
  ['1.5M', 1_500_000],
])('the count %j is %i', (text, count) => {
  expect(Count.decode(text)).toBe(count);
});

test.each([0, -1, 1.5, '0', '3m', '3 M', 'many'])('%j is not a count', (written) => {
  expect(Count.safeDecode(written).success).toBe(false);
});

test('amounts are written in the shortest exact form', () => {
  expect([90_000, 7_200_000, 5_400_000, 86_400_000, 250, 0].map(formatDuration)).toEqual([
    '1m30s',
    '2h',
    '1h30m',
    '1d',
    '250ms',
    '0s',
  ]);
  expect([5, 0.5, 2.25, 0.0042].map(formatDollars)).toEqual(['5 USD', '0.50 USD', '2.25 USD', '0.0042 USD']);
  expect([60, 500_000, 3_000_000, 1_500_000, 1234].map(formatCount)).toEqual(['60', '500k', '3M', '1.5M', '1234']);
});

test('what is written is read back as the same amount', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10 ** 12 }), (amount) => {
      expect(Duration.decode(z.encode(Duration, amount))).toBe(amount);
      expect(Count.decode(z.encode(Count, amount))).toBe(amount);
      expect(Dollars.decode(z.encode(Dollars, amount / 10_000))).toBe(amount / 10_000);
    }),
  );
});
