import { expect, test } from 'vitest';
import type { Enclosure, Walls } from '../ports/sandbox.ts';
import { plainSandbox } from '../testing/plain-sandbox.ts';
import { workspaceLayout } from '../workspaces/layout.ts';
import { gitSandbox, programsSandbox } from './enclosure.ts';

const HOME = '/home/ada/.switchyard';
const layout = workspaceLayout(`${HOME}/workspaces`, 'r1');
const store = `${HOME}/repos/shop-1a2b3c4d.git`;

function wallsThat(remember: (enclosure: Enclosure) => void): Walls {
  const sandbox = plainSandbox();
  const enclose = (enclosure: Enclosure) => {
    remember(enclosure);
    return sandbox;
  };
  return { ...sandbox, boundsNetwork: false, holds: [], enforces: [], enclose, namespaceOf: () => undefined };
}

test('git in its walls sees the objects of the store, and neither its refs nor the key of its checkpoints', () => {
  const seen: Enclosure[] = [];
  gitSandbox(
    wallsThat((enclosure) => seen.push(enclosure)),
    { layout, store },
  );
  const [{ mounts, network } = { mounts: [], network: undefined }] = seen;
  const shows = (path: string) => mounts.filter(({ inside }) => path === inside || path.startsWith(`${inside}/`));
  expect(network).toEqual({ kind: 'none' });
  expect(shows(`${store}/objects/ab/cd`)).toEqual([expect.objectContaining({ writable: false })]);
  for (const name of ['checkpoint.key', 'packed-refs', 'refs/switchyard', 'config'])
    expect([name, shows(`${store}/${name}`)]).toEqual([name, []]);
});

test('programs of a run see what was fetched and what is their own, and nothing else of the store', () => {
  const seen: Enclosure[] = [];
  programsSandbox({
    walls: wallsThat((enclosure) => seen.push(enclosure)),
    layout,
    store,
    home: layout.home,
    settings: {},
    egress: () => Promise.reject(new Error('not wanted')),
  });
  const [{ mounts } = { mounts: [] }] = seen;
  const shows = (path: string) => mounts.filter(({ host }) => path === host || path.startsWith(`${host}/`));
  for (const path of [`${store}/source/objects/ab/cd`, `${layout.objects}/pack/one`])
    expect([path, shows(path)]).toEqual([path, [expect.objectContaining({ writable: false })]]);
  for (const name of ['objects/ab/cd', 'checkpoint.key', 'source/refs', 'packed-refs', 'lfs/objects'])
    expect([name, shows(`${store}/${name}`)]).toEqual([name, []]);
});
