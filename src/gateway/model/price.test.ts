import { expect, test } from 'vitest';
import { NO_TOKENS } from '../../domain/model-call.ts';
import { type PriceTable, priceOf, shippedPrices, withOwnPrices } from './price.ts';

const MILLION = 1_000_000;

const flat: PriceTable = new Map([
  [
    'some-model',
    {
      rates: { input: 4, cached: 1, cacheWrite: 5, output: 20 },
      above: [{ tokens: 200_000, rates: { input: 8, cached: 2, cacheWrite: 10, output: 30 } }],
      date: '2026-11-01',
      source: 'https://example.com/prices',
    },
  ],
  ['plain', { rates: { input: 2, output: 8 }, above: [], date: '2026-11-01', source: 'https://example.com/prices' }],
]);

const cost = (model: string, tokens: Partial<typeof NO_TOKENS>) =>
  priceOf(flat, model, { ...NO_TOKENS, ...tokens })?.cost;

test('every kind of token has its price, and none is paid for twice', () => {
  const tokens = { input: 100_000, cached: 40_000, cacheWrite: 10_000, output: 2000, reasoning: 1500 };
  expect(cost('some-model', tokens)).toBeCloseTo((50_000 * 4 + 40_000 + 10_000 * 5 + 2000 * 20) / MILLION, 12);
});

test('what has no price of its own costs what input does', () => {
  expect(cost('plain', { input: MILLION, cached: 400_000, cacheWrite: 100_000, output: MILLION })).toBeCloseTo(10, 12);
});

test('a request that reads more than the bound pays more for all of it, one that reads just that does not', () => {
  expect(cost('some-model', { input: 200_000, output: 1000 })).toBeCloseTo(0.82, 12);
  expect(cost('some-model', { input: 200_001, output: 1000 })).toBeCloseTo((200_001 * 8 + 1000 * 30) / MILLION, 12);
});

test('what was read out of a cache counts for the bound as well', () => {
  expect(cost('some-model', { input: 300_000, cached: 300_000 })).toBeCloseTo(0.6, 12);
});

test('the price says where it is from, and of which day', () => {
  expect(priceOf(flat, 'plain', NO_TOKENS)).toEqual({
    cost: 0,
    date: '2026-11-01',
    source: 'https://example.com/prices',
  });
});

test.each(['plain-2026-08-07', 'plain-20260807', 'plain@20260807'])('%s costs what its model does', (model) => {
  expect(cost(model, { input: MILLION })).toBe(2);
});

test.each(['plain-mini', 'plain-2', 'plain-latest', 'plain-20261307', 'pla', '', 'constructor'])(
  'of %j nobody knows the price',
  (model) => {
    expect(cost(model, { input: MILLION })).toBeUndefined();
  },
);

test('the owner of the machine adds prices and replaces others, nothing included', () => {
  const own = withOwnPrices(flat, { 'some-model': { input: 0, output: 0 }, 'my-model': { input: 1, output: 2 } });
  const tokens = { ...NO_TOKENS, input: MILLION, output: MILLION };
  expect(priceOf(own, 'some-model', tokens)).toEqual({ cost: 0, date: null, source: 'config.yaml' });
  expect(priceOf(own, 'my-model', tokens)?.cost).toBe(3);
  expect(priceOf(own, 'plain', tokens)?.cost).toBe(10);
  expect(priceOf(flat, 'my-model', tokens)).toBeUndefined();
});

test('a dearer tier has a price of its own, and without one nobody knows it', () => {
  const own = withOwnPrices(flat, {
    'plain+priority': { input: 4, output: 16 },
    'my-model': { input: 0, output: 0 },
  });
  const at = (model: string, tier?: string) => priceOf(own, model, { ...NO_TOKENS, input: MILLION }, tier)?.cost;
  expect([at('plain'), at('plain', 'priority'), at('plain-2026-08-07', 'priority')]).toEqual([2, 4, 4]);
  expect([at('plain', 'fast'), at('some-model', 'priority'), at('new', 'priority')]).toEqual(Array(3).fill(undefined));
  expect(at('my-model', 'priority')).toBe(0);
});

test('the shipped prices name day and page, and no model twice', async () => {
  const table = await shippedPrices();
  expect(table.size).toBeGreaterThan(30);
  for (const [model, { rates, above, date, source }] of table) {
    expect(new URL(source).protocol, model).toBe('https:');
    expect(Date.parse(date ?? ''), model).toBeGreaterThan(Date.UTC(2025, 0));
    expect(rates.output, model).toBeGreaterThanOrEqual(rates.input);
    expect(rates.cached ?? rates.input, model).toBeLessThanOrEqual(rates.input);
    expect(rates.cacheWrite ?? rates.input, model).toBeGreaterThanOrEqual(rates.input);
    for (const more of above) expect(more.rates.input, model).toBeGreaterThan(rates.input);
  }
});

test('each dearer tier with a shipped price is one of a model that has a lower one', async () => {
  const table = await shippedPrices();
  const tiers = [...table].filter(([model]) => model.includes('+'));
  expect(tiers.length).toBeGreaterThan(10);
  for (const [model, { rates }] of tiers) {
    const ordinary = table.get(model.slice(0, model.indexOf('+')))?.rates;
    expect(rates.input, model).toBeGreaterThan(ordinary?.input ?? Infinity);
    expect(rates.output, model).toBeGreaterThan(ordinary?.output ?? Infinity);
  }
});
