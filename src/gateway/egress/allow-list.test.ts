import { describe, expect, test } from 'vitest';
import { type AllowList, allowList } from './allow-list.ts';

function listOf(hosts: readonly string[], trusted: { host: string; port: number }[] = []): AllowList {
  const list = allowList({ hosts, trusted });
  if (typeof list !== 'function') throw new Error(`unreadable: ${list.unreadable}`);
  return list;
}

describe('a host without a port', () => {
  const list = listOf(['example.com']);

  test('is allowed on 443', () => {
    expect(list({ host: 'example.com', port: 443 })).toBe('public');
  });

  test.each([
    ['example.com', 80],
    ['www.example.com', 443],
    ['badexample.com', 443],
    ['example.com.evil.net', 443],
  ])('does not allow %s:%d', (host, port) => {
    expect(list({ host, port })).toBe('refused');
  });
});

describe('a host with a star', () => {
  const list = listOf(['*.example.com', '*.example.org:8443']);

  test('allows what is below it at any depth', () => {
    expect(list({ host: 'a.example.com', port: 443 })).toBe('public');
    expect(list({ host: 'a.b.example.com', port: 443 })).toBe('public');
    expect(list({ host: 'a.example.org', port: 8443 })).toBe('public');
  });

  test('does not allow the host itself, nor one that only ends alike, nor other ports', () => {
    expect(list({ host: 'example.com', port: 443 })).toBe('refused');
    expect(list({ host: 'badexample.com', port: 443 })).toBe('refused');
    expect(list({ host: 'a.example.org', port: 443 })).toBe('refused');
  });
});

test('an address that is allowed by its number is public like any other, in that spelling or another', () => {
  const list = listOf(['10.0.0.5:8080', '[fd00::1]:80', 'fd00::2']);
  expect(list({ host: '10.0.0.5', port: 8080 })).toBe('public');
  expect(list({ host: 'fd00::1', port: 80 })).toBe('public');
  expect(list({ host: 'fd00::2', port: 443 })).toBe('public');
  expect(list({ host: '10.0.0.5', port: 80 })).toBe('refused');
});

test('what this machine names itself may be private where it is allowed, and is not allowed by being named', () => {
  const trusted = [{ host: 'models.internal', port: 443 }];
  expect(listOf(['models.internal'], trusted)({ host: 'models.internal', port: 443 })).toBe('anywhere');
  expect(listOf([], trusted)({ host: 'models.internal', port: 443 })).toBe('refused');
});

test.each([
  '',
  '*',
  '*.',
  '*.10.0.0.1',
  'https://example.com',
  'a b',
  'example.com:0',
  'example.com:99999',
  'x*.example.com',
])('%j cannot be read as a host', (text) => {
  expect(allowList({ hosts: ['example.com', text], trusted: [] })).toEqual({ unreadable: text });
});
