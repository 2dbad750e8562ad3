import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shippingCost } from '../src/shipping.js';

const tea = (amount) => [{ name: 'tea', price: 1250, amount }];

test('a small basket pays for shipping', () => {
  assert.equal(shippingCost(tea(1)), 490);
});

test('a large basket ships free', () => {
  assert.equal(shippingCost(tea(5)), 0);
});

test('a basket of exactly 50.00 ships free', () => {
  assert.equal(shippingCost(tea(4)), 0);
});
