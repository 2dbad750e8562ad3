import { networkInterfaces } from 'node:os';
import { expect, test } from 'vitest';
import { isGlobalAddress } from './global-address.ts';

test.each([
  '0.0.0.0',
  '10.1.2.3',
  '100.64.0.1',
  '127.0.0.1',
  '127.255.0.9',
  '169.254.169.254',
  '168.63.129.16',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '198.18.0.1',
  '203.0.113.5',
  '224.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::ffff:10.0.0.1',
  '::10.0.0.1',
  '64:ff9b::10.0.0.1',
  '64:ff9b::1',
  '64:ff9b:1::1',
  'fc00::1',
  'fd00:ec2::254',
  'fe80::1',
  'ff02::1',
  '2001:db8::1',
  '2001::1',
  '2002:7f00:1::',
  'no address',
])('%s is not of the public internet', (address) => {
  expect(isGlobalAddress(address)).toBe(false);
});

test.each(['1.1.1.1', '172.32.0.1', '192.169.0.1', '::ffff:1.1.1.1', '64:ff9b::1.1.1.1', '2606:4700:4700::1111'])(
  '%s is of the public internet',
  (address) => {
    expect(isGlobalAddress(address)).toBe(true);
  },
);

test('this machine’s own addresses are not, whatever they are', () => {
  const own = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  expect(own.filter(({ address }) => isGlobalAddress(address))).toEqual([]);
});
