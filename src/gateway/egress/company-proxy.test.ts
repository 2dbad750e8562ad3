import { describe, expect, test } from 'vitest';
import { companyProxies } from './company-proxy.ts';

const example = { host: 'example.com', port: 443 };

test('a machine without a proxy has none', () => {
  expect(companyProxies({})(example, 'https')).toBeUndefined();
});

test('each scheme has its proxy, and ALL_PROXY stands in', () => {
  const proxies = companyProxies({ HTTPS_PROXY: 'http://proxy.corp:3128', ALL_PROXY: 'proxy2.corp:81' });
  expect(proxies(example, 'https')).toEqual({
    host: 'proxy.corp',
    port: 3128,
    isSecure: false,
    authorization: undefined,
  });
  expect(proxies(example, 'http')).toMatchObject({ host: 'proxy2.corp', port: 81 });
});

test('its user and password become what it asks for', () => {
  const proxy = companyProxies({ https_proxy: 'https://me:p%40ss@proxy.corp' })(example, 'https');
  expect(proxy).toMatchObject({ port: 443, isSecure: true, authorization: `Basic ${btoa('me:p@ss')}` });
});

test.each(['100%sure', '100%', '%ff'])('a percent sign in its password may stand for itself: %s', (password) => {
  const proxy = companyProxies({ https_proxy: `http://user:${password}@proxy.corp:3128` })(example, 'https');
  expect(proxy).toMatchObject({ host: 'proxy.corp', authorization: `Basic ${btoa(`user:${password}`)}` });
});

test('a proxy that does not speak HTTP is none', () => {
  expect(companyProxies({ https_proxy: 'socks5://proxy.corp:1080' })(example, 'https')).toBeUndefined();
});

describe('NO_PROXY', () => {
  const goesDirectly = (list: string, host: string, port = 443) =>
    companyProxies({ https_proxy: 'http://proxy.corp', NO_PROXY: list })({ host, port }, 'https') === undefined;

  test.each([
    ['example.com', 'example.com'],
    ['example.com', 'a.example.com'],
    ['.example.com', 'a.example.com'],
    ['*.example.com', 'a.example.com'],
    ['a.org, example.com:443', 'example.com'],
    ['10.0.0.0/8', '10.2.3.4'],
    ['fd00::/8', 'fd00::1'],
    ['10.2.3.4', '10.2.3.4'],
    ['*', 'anything.net'],
  ])('%s leaves %s out', (list, host) => {
    expect(goesDirectly(list, host)).toBe(true);
  });

  test.each([
    ['example.com', 'badexample.com'],
    ['example.com:80', 'example.com'],
    ['10.0.0.0/8', '11.2.3.4'],
    ['10.0.0.0/99', '10.2.3.4'],
    ['', 'example.com'],
  ])('%j does not leave %s out', (list, host) => {
    expect(goesDirectly(list, host)).toBe(false);
  });
});
