import { expect, test } from 'vitest';
import { slugOf } from './task.ts';

test.each([
  ['Make the totals round to cents', 'make-the-totals-round-to-cents'],
  ['Über-große Größen prüfen!', 'uber-gro-e-gro-en-prufen'],
  ['修复 parser 的错误', 'parser'],
  ['修复总额的四舍五入', '修复总额的四舍五入'],
  ['Исправить округление сумм', 'исправить-округление-сумм'],
  ['हिन्दी में लिखो', 'हिन्दी-में-लिखो'],
  ['…!?', 'task'],
  ['', 'task'],
])('%s is called %s', (title, slug) => {
  expect(slugOf(title)).toBe(slug);
});

test('a slug has at most 40 characters, and no half ones', () => {
  expect(slugOf('a'.repeat(100))).toBe('a'.repeat(40));
  expect(slugOf('𠮷'.repeat(100))).toBe('𠮷'.repeat(40));
  expect(slugOf(`${'ab '.repeat(13)}c ${'d'.repeat(9)}`)).toBe(`${'ab-'.repeat(13).slice(0, -1)}-c`);
});
