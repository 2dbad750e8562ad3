import { expect, test } from 'vitest';
import { insideOf, visibleMounts } from './mounts.ts';

const mount = (host: string, inside: string) => ({ host, inside, writable: false });

test('a mount that a later one covers is left out', () => {
  const [inner, outer, same] = [mount('/a', '/x/y'), mount('/b', '/x'), mount('/c', '/x')];
  expect(visibleMounts([inner, outer])).toEqual([outer]);
  expect(visibleMounts([outer, same])).toEqual([same]);
});

test('a mount within an earlier one, or beside it, stays', () => {
  const mounts = [mount('/b', '/x'), mount('/a', '/x/y'), mount('/c', '/xy')];
  expect(visibleMounts(mounts)).toEqual(mounts);
});

test('a path is found in the mount that shows it most closely, and elsewhere at its own place', () => {
  const mounts = [mount('/host/tree', '/workspace'), mount('/host', '/all')];
  expect(insideOf(mounts, '/host/tree/a')).toBe('/workspace/a');
  expect(insideOf(mounts, '/host/tree')).toBe('/workspace');
  expect(insideOf(mounts, '/host/trees')).toBe('/all/trees');
  expect(insideOf(mounts, '/other')).toBe('/other');
});
