import { expect, test } from 'vitest';
import { RepositoryConfig } from '../config/repository.ts';
import { networkAt, notInForce } from './not-in-force.ts';

const walled = { level: 'bubblewrap', boundsNetwork: true, enforces: ['memory'] } as const;
const open = { level: 'pid', boundsNetwork: false, enforces: [] } as const;

test('where the network is open, what a repository says of it is not in force, and said', () => {
  expect(notes({ walls: open, network: ['model'], written: { network: ['model'] } })).toEqual([
    'workspace.network is not in force: the sandbox level pid leaves the network open.',
  ]);
  expect(notes({ walls: open, network: ['model', 'packages'] })).toEqual([]);
});

test('hosts by name are let through from the level domains on', () => {
  expect(networkAt('bubblewrap', ['model', 'example.org'])).toEqual(['model']);
  expect(networkAt('domains', ['model', 'example.org'])).toEqual(['model', 'example.org']);
  expect(notes({ walls: walled, network: ['example.org', 'packages'] })).toEqual([
    'example.org: not reached by this run, since the sandbox level bubblewrap lets no hosts through by name; --sandbox domains does.',
  ]);
});

test('limits that the host cannot hold programs to are said, those that it can are not', () => {
  expect(notes({ walls: walled, resources: { memory: 1, cpus: 1 } })).toEqual([
    'resources.cpus: not in force, the sandbox level bubblewrap cannot hold programs to it on this host (switchyard doctor says why).',
  ]);
  expect(notes({ walls: walled, resources: { memory: 1, disk: 1 } })).toEqual([]);
});

function notes({
  walls,
  network = [],
  resources = {},
  written = {},
}: {
  walls: Parameters<typeof notInForce>[0]['walls'];
  network?: string[];
  resources?: Parameters<typeof notInForce>[0]['resources'];
  written?: object;
}): string[] {
  const config = RepositoryConfig.parse({ workspace: written });
  return notInForce({ config, unread: [], walls, network, resources });
}
