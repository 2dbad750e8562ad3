import { expect, test } from 'vitest';
import { mergeLimits, parseLimitFlag, WrittenLimits } from './limits.ts';

test('the most specific level wins', () => {
  const { limits, held } = mergeLimits({
    machine: { wall: 100, turns: 60 },
    repository: { wall: 80, turns: 50 },
    blueprint: { wall: 70 },
    node: { wall: 60 },
  });
  expect(limits).toEqual({ wall: 60, turns: 50 });
  expect(held).toEqual([]);
});

test('a committed level may go above a more general committed level, but not above the machine', () => {
  const { limits, held } = mergeLimits({ machine: { wall: 100 }, repository: { wall: 50 }, blueprint: { wall: 200 } });
  expect(limits).toEqual({ wall: 100 });
  expect(held).toEqual([{ limit: 'wall', level: 'blueprint', asked: 200, held: 100 }]);
});

test('a flag may go above the machine', () => {
  const { limits, held } = mergeLimits({ machine: { steps: 10 }, blueprint: { steps: 99 }, flag: { steps: 50 } });
  expect(limits).toEqual({ steps: 50 });
  expect(held).toEqual([]);
});

test('a value that a more specific one replaces is not called held down', () => {
  expect(mergeLimits({ machine: { wall: 100 }, repository: { wall: 200 }, node: { wall: 10 } }).held).toEqual([]);
});

test('what is built in holds when nobody says anything, and bounds nobody', () => {
  expect(mergeLimits({ builtIn: { steps: 100 } }).limits).toEqual({ steps: 100 });
  expect(mergeLimits({ builtIn: { steps: 100 }, repository: { steps: 500 } })).toEqual({
    limits: { steps: 500 },
    held: [],
  });
});

test('nothing said anywhere bounds nothing', () => {
  expect(mergeLimits({})).toEqual({ limits: {}, held: [] });
});

test('limits are read as people write them', () => {
  const written = { wall: '2h', silence: '15m', turns: 60, steps: 40, cost: '5 USD', tokens: '3M' };
  expect(WrittenLimits.decode(written)).toEqual({
    wall: 7_200_000,
    silence: 900_000,
    turns: 60,
    steps: 40,
    cost: 5,
    tokens: 3_000_000,
  });
});

test('a flag names one limit', () => {
  expect(parseLimitFlag('silence=30s')).toEqual({ ok: true, limits: { silence: 30_000 } });
  expect(parseLimitFlag('cost=5 USD')).toEqual({ ok: true, limits: { cost: 5 } });
  expect(parseLimitFlag('turns=60')).toEqual({ ok: true, limits: { turns: 60 } });
});

test('a flag that names no limit, or no amount, says what would be right', () => {
  expect(parseLimitFlag('sillence=30s')).toMatchObject({ message: expect.stringContaining('known are wall, silence') });
  expect(parseLimitFlag('wall=30')).toEqual({ ok: false, message: 'wall: write a duration as 90s, 15m or 2h' });
  expect(parseLimitFlag('turns=many')).toEqual({ ok: false, message: 'turns: write a number as 60, 500k or 3M' });
  expect(parseLimitFlag('__proto__=1').ok).toBe(false);
  expect(parseLimitFlag('wall').ok).toBe(false);
});
