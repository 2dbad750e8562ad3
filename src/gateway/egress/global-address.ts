import { BlockList, isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { canonicalHost, dotted } from './host-name.ts';

/**
 * Whether an address belongs to the public internet: not to this machine, its networks, its cloud's metadata service, nor to anything that
 * the registries of special addresses set aside.
 */
export function isGlobalAddress(text: string): boolean {
  const address = canonicalHost(text);
  if (address === undefined || isOwn(address)) return false;
  if (isIP(address) === 4) return !SPECIAL.check(address, 'ipv4');
  if (isIP(address) !== 6) return false;
  const translated = translatedAddress(address);
  if (translated !== undefined) return isGlobalAddress(translated);
  return UNICAST.check(address, 'ipv6') && !SPECIAL.check(address, 'ipv6');
}

function isOwn(address: string): boolean {
  const interfaces = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return interfaces.some((own) => canonicalHost(own.address.replace(/%.*$/, '')) === address);
}

/** What a network that has IPv6 alone makes of an address in IPv4: `64:ff9b::` and the address. */
function translatedAddress(address: string): string | undefined {
  if (!TRANSLATED.check(address, 'ipv6')) return undefined;
  const groups = address.slice('64:ff9b:'.length).split(':').filter(Boolean);
  return dotted(groups.at(-2) ?? '0', groups.at(-1) ?? '0');
}

const TRANSLATED = new BlockList();
TRANSLATED.addSubnet('64:ff9b::', 96, 'ipv6');

const UNICAST = new BlockList();
UNICAST.addSubnet('2000::', 3, 'ipv6');

const SPECIAL = new BlockList();
for (const subnet of [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
  // Azure answers its machines' questions here.
  '168.63.129.16/32',
]) {
  const [network = '', bits = ''] = subnet.split('/');
  SPECIAL.addSubnet(network, Number(bits), 'ipv4');
}
// Tunnels (Teredo, 6to4) could carry any address in IPv4.
for (const subnet of ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']) {
  const [network = '', bits = ''] = subnet.split('/');
  SPECIAL.addSubnet(network, Number(bits), 'ipv6');
}
