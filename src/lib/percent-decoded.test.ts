import { expect, test } from 'vitest';
import { percentDecoded } from './percent-decoded.ts';

test.each([
  ['p%40ss', 'p@ss'],
  ['%C3%A4%c3%b6', 'äö'],
  ['p%25%34%30', 'p%40'],
  ['%EF%BB%BFx', '\uFEFFx'],
  ['', ''],
])('%s is %s', (text, decoded) => {
  expect(percentDecoded(text)).toBe(decoded);
});

test.each(['100%sure', '100%', '%4', 'p%ffs', '%C3', '%zz'])('%s stands for itself', (text) => {
  expect(percentDecoded(text)).toBe(text);
});

test('what is encoded is decoded beside what is not', () => {
  expect(percentDecoded('100%sure%40home')).toBe('100%sure@home');
});
