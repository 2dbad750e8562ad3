import { describe, expect, test } from 'vitest';
import { authorityOf, canonicalHost, readAuthority } from './host-name.ts';

describe('every spelling of a host is one', () => {
  test.each([
    ['Example.COM', 'example.com'],
    ['example.com.', 'example.com'],
    ['127.0.0.1', '127.0.0.1'],
    ['2130706433', '127.0.0.1'],
    ['0x7f.0.0.1', '127.0.0.1'],
    ['0177.0.0.1', '127.0.0.1'],
    ['127.1', '127.0.0.1'],
    ['::1', '::1'],
    ['[0:0:0:0:0:0:0:1]', '::1'],
    ['[::ffff:127.0.0.1]', '127.0.0.1'],
    ['[::ffff:7f00:1]', '127.0.0.1'],
  ])('%s', (text, host) => {
    expect(canonicalHost(text)).toBe(host);
  });
});

test.each([
  '',
  '.',
  'a b',
  'user@host',
  'a/b',
  '[fe80::1%25eth0]',
  '1.2.3.4.5',
  '256.1.1.1',
  'a%2eb',
  'ho\nst',
  '[::1',
])('%j is no host', (text) => {
  expect(canonicalHost(text)).toBeUndefined();
});

test('an authority is a host and a port, and nothing else', () => {
  expect(readAuthority('Example.com:443')).toEqual({ host: 'example.com', port: 443 });
  expect(readAuthority('[::1]:80')).toEqual({ host: '::1', port: 80 });
  const others = [
    'example.com',
    'example.com:0',
    'example.com:65536',
    'u:p@example.com:443',
    'http://example.com:80',
    ':1',
  ];
  expect(others.filter((text) => readAuthority(text) !== undefined)).toEqual([]);
});

test('a person reads the port only where it is not the usual one', () => {
  expect(authorityOf({ host: 'example.com', port: 443 })).toBe('example.com');
  expect(authorityOf({ host: '::1', port: 8080 })).toBe('[::1]:8080');
});
