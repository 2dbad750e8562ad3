import { describe, expect, test } from 'vitest';
import { npmRoute } from './npm-route.ts';
import { readNpmSettings } from './npmrc.ts';

const settings = readNpmSettings(
  [
    'registry=https://git.corp/api/npm/',
    '@own:registry=https://own.corp/npm/',
    '//git.corp/:_authToken=main',
    '//own.corp/npm/:_authToken=own',
  ].join('\n'),
  {},
);
const places = { ...settings, registry: settings.registry! };

function leads(target: string, method = 'GET'): string {
  const route = npmRoute(places, { method, target });
  return route.kind === 'refused' ? 'refused' : `${route.url.href} ${route.authorization}`;
}

describe('what reads packages goes to the registry with its credential', () => {
  test.each([
    ['/left-pad', 'https://git.corp/api/npm/left-pad Bearer main'],
    ['/@other%2fpad', 'https://git.corp/api/npm/@other%2fpad Bearer main'],
    ['/@other/pad', 'https://git.corp/api/npm/@other/pad Bearer main'],
    ['/left-pad/latest', 'https://git.corp/api/npm/left-pad/latest Bearer main'],
    ['/left-pad/-/left-pad-1.0.0.tgz', 'https://git.corp/api/npm/left-pad/-/left-pad-1.0.0.tgz Bearer main'],
    ['/api/npm/left-pad/-/left-pad-1.0.0.tgz', 'https://git.corp/api/npm/left-pad/-/left-pad-1.0.0.tgz Bearer main'],
    ['/api/projects/5/npm/x/-/x-1.0.0.tgz', 'https://git.corp/api/projects/5/npm/x/-/x-1.0.0.tgz Bearer main'],
    ['/-/v1/search?text=pad', 'https://git.corp/api/npm/-/v1/search?text=pad Bearer main'],
    ['/api/npm/-/v1/search?text=pad', 'https://git.corp/api/npm/-/v1/search?text=pad Bearer main'],
  ])('%s', (target, to) => {
    expect(leads(target)).toBe(to);
  });

  test('and so do audits', () => {
    expect(leads('/-/npm/v1/security/advisories/bulk', 'POST')).toMatch(/^https/);
  });
});

describe('a scope’s packages go to its registry', () => {
  test.each([
    ['/@own%2fpad', 'https://own.corp/npm/@own%2fpad Bearer own'],
    ['/@own/pad/-/pad-1.0.0.tgz', 'https://own.corp/npm/@own/pad/-/pad-1.0.0.tgz Bearer own'],
    ['/npm/@own%2fpad', 'https://own.corp/npm/@own%2fpad Bearer own'],
    ['/npm/@own/pad/-/pad-1.0.0.tgz', 'https://own.corp/npm/@own/pad/-/pad-1.0.0.tgz Bearer own'],
  ])('%s', (target, to) => {
    expect(leads(target)).toBe(to);
  });

  test('without a credential where none belongs to the place', () => {
    expect(leads('/else/where/@own/pad/-/pad-1.0.0.tgz')).toBe(
      'https://own.corp/else/where/@own/pad/-/pad-1.0.0.tgz undefined',
    );
  });
});

test('what is at the root for programs is never at the root of the host', () => {
  expect(leads('/user')).toBe('https://git.corp/api/npm/user Bearer main');
  expect(leads('/api/user')).toBe('https://git.corp/api/npm/api/user Bearer main');
  expect(leads('/../user')).toBe('https://git.corp/api/npm/user Bearer main');
});

describe('is refused', () => {
  test.each([
    ['GET', '/api/v4/user'],
    ['GET', '/'],
    ['GET', '/api/npm/../v4/user'],
    ['GET', '/api/npm/%2e%2e/v4/user'],
    ['GET', '/api/npm/@own%2f..%2f..%2fuser'],
    ['GET', '/api/npm/x%252f..%252fuser'],
    ['GET', '/api/npm/a//b'],
    ['GET', '/api/v4/user?x=/-/a.tgz'],
    ['GET', '/api/v4/user#/-/a.tgz'],
    ['GET', '/api/npm/-/whoami'],
    ['GET', '/api/npm/-/npm/v1/tokens'],
    ['GET', 'http://evil/api/npm/x'],
    ['GET', '//evil/api/npm/x'],
    ['PUT', '/api/npm/left-pad'],
    ['DELETE', '/api/npm/left-pad/-rev/1'],
    ['POST', '/api/npm/-/npm/v1/tokens'],
    ['POST', '/api/npm/left-pad'],
  ])('%s %s', (method, target) => {
    expect(leads(target, method)).toBe('refused');
  });
});
