import { expect, test } from 'vitest';
import { selectChecks } from './select.ts';

const checks = [
  { name: 'unit', kind: 'test' },
  { name: 'docs', kind: 'prose' },
  { name: 'e2e', kind: 'test' },
  { name: 'lint', kind: 'lint' },
  { name: 'test', kind: 'slow' },
  { name: 'prettier', kind: 'format' },
];
const names = (wanted: string | string[]) => selectChecks(wanted, checks).checks.map(({ name }) => name);

test('the name of a check means that check, even where it is a kind too', () => {
  expect(names('test')).toEqual(['test']);
});

test('a kind means all checks of it, in the order of their declaration', () => {
  const withoutTest = checks.filter(({ name }) => name !== 'test');
  expect(selectChecks('test', withoutTest).checks.map(({ name }) => name)).toEqual(['unit', 'e2e']);
});

test('all means each of them, the quick ones first', () => {
  expect(names('all')).toEqual(['prettier', 'lint', 'unit', 'e2e', 'docs', 'test']);
});

test('a list is sorted likewise, and names no check twice', () => {
  expect(names(['unit', 'all', 'lint'])).toEqual(names('all'));
  expect(names(['e2e', 'lint', 'format'])).toEqual(['prettier', 'lint', 'e2e']);
});

test('a kind that the repository has none of is missing, another word is unknown', () => {
  expect(selectChecks(['typecheck', 'lint', 'speling'], checks)).toMatchObject({
    missing: ['typecheck'],
    unknown: ['speling'],
  });
  expect(selectChecks('all', [])).toEqual({ checks: [], missing: ['all'], unknown: [] });
});

test('a kind of the repository itself is known', () => {
  expect(selectChecks('prose', checks)).toMatchObject({ checks: [{ name: 'docs' }], unknown: [] });
});
