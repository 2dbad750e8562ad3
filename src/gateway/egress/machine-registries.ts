import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Environment } from './company-proxy.ts';
import { canonicalHost, type Destination } from './host-name.ts';
import { type NpmSettings, readNpmSettings } from './npmrc.ts';

/** The package registries that this machine's user is set to. */
export interface MachineRegistries {
  readonly npm: NpmSettings;
  /** Where all of them lie. */
  readonly places: readonly Destination[];
  /** What tells programs of them, without users and passwords. */
  readonly env: Readonly<Record<string, string>>;
}

/** Variables that hold addresses of registries, one or several. */
const VARIABLES = [
  'PIP_INDEX_URL',
  'PIP_EXTRA_INDEX_URL',
  'UV_INDEX_URL',
  'UV_DEFAULT_INDEX',
  'UV_EXTRA_INDEX_URL',
  'GOPROXY',
] as const;

/** Reads the user's own configuration, each time anew; what is not there or cannot be read says nothing. */
export async function machineRegistries(env: Environment): Promise<MachineRegistries> {
  const home = env['HOME'] || homedir();
  const file = env['NPM_CONFIG_USERCONFIG'] || env['npm_config_userconfig'] || join(home, '.npmrc');
  const npm = readNpmSettings(await readFile(file, 'utf8').catch(() => ''), env);
  const named = VARIABLES.flatMap((name) => {
    const value = env[name];
    return value === undefined || value === '' ? [] : [{ name, value }];
  });
  const urls = [
    ...[npm.registry, ...npm.scopes.values()].filter((url) => url !== undefined),
    ...named.flatMap(({ value }) => addressesIn(value)),
  ];
  return {
    npm,
    places: urls.flatMap((url) => placeOf(url) ?? []),
    env: Object.fromEntries(named.map(({ name, value }) => [name, withoutUsers(value)])),
  };
}

export function placeOf({ hostname, port, protocol }: URL): Destination | undefined {
  const host = canonicalHost(hostname);
  return host === undefined ? undefined : { host, port: Number(port) || (protocol === 'http:' ? 80 : 443) };
}

const ADDRESS = /https?:\/\/[^\s,|]+/g;

function addressesIn(text: string): URL[] {
  return (text.match(ADDRESS) ?? []).flatMap((address) => URL.parse(address) ?? []);
}

function withoutUsers(text: string): string {
  return text.replaceAll(ADDRESS, (address) => {
    const url = URL.parse(address);
    if (url === null) return '';
    if (url.username === '' && url.password === '') return address;
    url.username = '';
    url.password = '';
    return url.href;
  });
}
