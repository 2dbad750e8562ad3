import { expect, test } from 'vitest';
import { sourceAddress } from './source-address.ts';

const CLONE = '/home/ada/app';
const address = (url: string, parent = CLONE) => {
  const found = sourceAddress(url, parent);
  return found.kind === 'allowed' ? `${found.protocol} ${found.address}` : 'refused';
};

test('https and ssh are allowed, in all their forms', () => {
  expect(address('https://example.org/lib.git')).toBe('https https://example.org/lib.git');
  expect(address('https://me:token@example.org:8443/a/lib')).toBe('https https://me:token@example.org:8443/a/lib');
  expect(address('ssh://git@example.org:22/lib.git')).toBe('ssh ssh://git@example.org:22/lib.git');
  expect(address('git@example.org:team/lib.git')).toBe('ssh git@example.org:team/lib.git');
  expect(address('example.org:lib.git')).toBe('ssh example.org:lib.git');
});

test('a relative address is taken from where the repository is at home', () => {
  expect(address('../lib.git', 'https://example.org/team/app.git')).toBe('https https://example.org/team/lib.git');
  expect(address('../../other/lib', 'https://example.org/team/app.git/')).toBe('https https://example.org/other/lib');
  expect(address('./lib', 'https://example.org/app')).toBe('https https://example.org/app/lib');
  expect(address('../lib.git', 'git@example.org:team/app.git')).toBe('ssh git@example.org:team/lib.git');
  expect(address('../lib.git', 'git@example.org:app.git')).toBe('ssh git@example.org:lib.git');
  expect(address('../lib', CLONE)).toBe('file /home/ada/lib');
  expect(address('../lib', 'file:///srv/git/app')).toBe('file /srv/git/lib');
});

test('what would start programs, read other files or be read on the way is refused', () => {
  for (const url of [
    'ext::sh -c id',
    'ext::id',
    'fd::17',
    '--upload-pack=id',
    '-oProxyCommand=id:x',
    '-oProxyCommand=id@host:x',
    'ssh://-oProxyCommand=id/x',
    'ssh://git@-oProxyCommand=id/x',
    'git@-host:x',
    'host:-x',
    'http://example.org/lib',
    'git://example.org/lib',
    'ftp://example.org/lib',
    'file:///etc/secret',
    '/etc/secret',
    '/home/ada/private',
    'https://example.org/a b',
    'https://example.org/a\nb',
    'https:///lib',
    'https://-x/lib',
    'lib',
    '',
  ])
    expect(address(url), url).toBe('refused');
});

test('a relative address cannot leave its host, nor be of another kind than its parent', () => {
  expect(address('../../../../lib', 'https://example.org/team/app.git')).toBe('refused');
  expect(address('../../../lib', 'git@example.org:team/app.git')).toBe('refused');
  expect(address('../lib', 'http://example.org/team/app.git')).toBe('refused');
  expect(address('../lib', 'ext::sh -c id')).toBe('refused');
});

test('a refusal shows no password', () => {
  expect(sourceAddress('http://me:secret@example.org/lib', CLONE)).toEqual({
    kind: 'refused',
    why: 'its address http://me:…@example.org/lib is neither https nor ssh',
  });
});
