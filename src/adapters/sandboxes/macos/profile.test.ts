import { expect, test } from 'vitest';
import { profileOf } from './profile.ts';

const enclosure = {
  mounts: [
    { host: '/Users/me/ws/tree', inside: '/workspace', writable: true },
    { host: '/Users/me/store/objects', inside: '/Users/me/store/objects', writable: false },
  ],
  network: { kind: 'none' },
} as const;

test('nothing is allowed but what is named', () => {
  expect(profileOf({ enclosure, reads: [] }).split('\n').slice(0, 2)).toEqual(['(version 1)', '(deny default)']);
});

test('programs write to what the enclosure lets them write to, and to nothing else', () => {
  const writes = rulesOf(profileOf({ enclosure, reads: [] }), 'allow file-write*');
  expect(writes).toEqual(['(subpath "/Users/me/ws/tree")']);
});

test('programs read what the enclosure shows and what they need, and no folder that these lie in', () => {
  const reads = rulesOf(profileOf({ enclosure, reads: ['/Users/me/tool'] }), 'allow file-read* file-map-executable');
  for (const path of ['/Users/me/ws/tree', '/Users/me/store/objects', '/Users/me/tool', '/usr'])
    expect(reads).toContain(`(subpath "${path}")`);
  for (const path of ['/', '/Users', '/Users/me', '/Users/me/ws', '/private/var'])
    expect(reads).not.toContain(`(subpath "${path}")`);
});

test('a read-only folder within a writable one is refused after that is allowed', () => {
  const mounts = [...enclosure.mounts, { host: '/Users/me/ws/tree/.git', inside: '/workspace/.git', writable: false }];
  const profile = profileOf({ enclosure: { ...enclosure, mounts }, reads: [] });
  expect(rulesOf(profile, 'deny file-write*')).toEqual(['(subpath "/Users/me/ws/tree/.git")']);
  expect(profile.indexOf('(deny file-write*')).toBeGreaterThan(profile.indexOf('(allow file-write*'));
});

test('without a network nothing of it is allowed', () => {
  expect(profileOf({ enclosure, reads: [] })).not.toContain('network');
});

test('bridges are reached at their ports, and no other port', () => {
  const network = { kind: 'bridged', bridges: [{ port: 3128, socket: '/s' }] } as const;
  const profile = profileOf({ enclosure: { ...enclosure, network }, reads: [] });
  expect(rulesOf(profile, 'allow network-outbound')).toEqual(['(remote ip "localhost:3128")']);
  expect(profile.match(/network/g)).toHaveLength(1);
});

test('an open network is open', () => {
  expect(profileOf({ enclosure: { ...enclosure, network: { kind: 'open' } }, reads: [] })).toContain(
    '(allow network*)',
  );
});

test('no path can end its string', () => {
  const odd = { host: '/a") (allow file-write* (subpath "/', inside: '/x', writable: false };
  const profile = profileOf({ enclosure: { ...enclosure, mounts: [odd] }, reads: ['/b\\'] });
  expect(profile).toContain('(subpath "/a\\") (allow file-write* (subpath \\"/")');
  expect(profile).toContain('(subpath "/b\\\\")');
});

function rulesOf(profile: string, head: string): string[] {
  const start = profile.indexOf(`(${head}\n`);
  if (start === -1) return [];
  const lines = profile.slice(start).split('\n').slice(1);
  const end = lines.findIndex((line) => !line.startsWith('  '));
  return lines.slice(0, end).map((line, index) => (index === end - 1 ? line.trim().slice(0, -1) : line.trim()));
}
