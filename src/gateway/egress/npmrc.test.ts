import { describe, expect, test } from 'vitest';
import { credentialFor, readNpmSettings } from './npmrc.ts';

test('registries, scopes and credentials are read as npm reads them', () => {
  const settings = readNpmSettings(
    [
      '; a comment',
      'registry = https://npm.corp/all',
      '@Corp:registry="https://npm.corp/own/"',
      '//npm.corp/own/:_authToken=${TOKEN}',
      '//other.corp/:_auth=bWU6cHc=',
      '//third.corp:8080/:username=me',
      `//third.corp:8080/:_password=${btoa('pw')}`,
      '//fourth.corp/:email=me@corp',
      'cafile=/etc/corp.pem',
    ].join('\n'),
    { TOKEN: 'secret' },
  );
  expect(settings).toEqual({
    registry: new URL('https://npm.corp/all/'),
    scopes: new Map([['@corp', new URL('https://npm.corp/own/')]]),
    credentials: [
      { place: '//npm.corp/own/', authorization: 'Bearer secret' },
      { place: '//other.corp/', authorization: 'Basic bWU6cHc=' },
      { place: '//third.corp:8080/', authorization: `Basic ${btoa('me:pw')}` },
    ],
    cafile: '/etc/corp.pem',
  });
});

test('variables outrank the file', () => {
  const env = { NPM_CONFIG_REGISTRY: 'https://env.corp/', 'npm_config_//env.corp/:_authToken': 'of-env' };
  const settings = readNpmSettings('registry=https://file.corp/\n//env.corp/:_authToken=of-file', env);
  expect(settings.registry?.href).toBe('https://env.corp/');
  expect(settings.credentials).toEqual([{ place: '//env.corp/', authorization: 'Bearer of-env' }]);
});

test('nothing is read out of nothing', () => {
  expect(readNpmSettings('', {})).toEqual({
    registry: undefined,
    scopes: new Map(),
    credentials: [],
    cafile: undefined,
  });
});

describe('a credential', () => {
  const settings = readNpmSettings('//npm.corp/own/:_authToken=a\n//npm.corp/own/deep/:_authToken=b', {});

  test('is for what lies in its place, the deepest first', () => {
    expect(credentialFor(settings, new URL('https://npm.corp/own/x'))?.authorization).toBe('Bearer a');
    expect(credentialFor(settings, new URL('https://npm.corp/own/deep/x'))?.authorization).toBe('Bearer b');
  });

  test.each(['https://npm.corp/', 'https://npm.corp/ownership/x', 'https://npm.corp:444/own/x', 'https://evil/own/x'])(
    'is not for %s',
    (url) => {
      expect(credentialFor(settings, new URL(url))).toBeUndefined();
    },
  );
});
