import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readHierarchies } from './hierarchies.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchyard-hierarchies-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function describe(mountinfo: readonly string[], cgroup: readonly string[]) {
  await writeFile(join(folder, 'mountinfo'), `${mountinfo.join('\n')}\n`);
  await writeFile(join(folder, 'cgroup'), `${cgroup.join('\n')}\n`);
  return readHierarchies(folder);
}

test('finds our place in trees of both versions, also where one tree has two controllers', async () => {
  const root = join(folder, 'fs');
  await mkdir(join(root, 'memory/jobs/7'), { recursive: true });
  await mkdir(join(root, 'cpu,cpuacct'), { recursive: true });
  await mkdir(join(root, 'unified/user'), { recursive: true });
  const found = await describe(
    [
      `32 31 0:29 / ${root}/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct`,
      `35 31 0:32 / ${root}/memory rw,relatime shared:9 - cgroup cgroup rw,memory`,
      `41 31 0:38 / ${root}/unified rw,relatime - cgroup2 cgroup2 rw`,
    ],
    ['4:memory:/jobs/7', '1:cpu,cpuacct:/', '0::/user'],
  );
  expect(found).toEqual({
    v1: {
      memory: { root: `${root}/memory`, own: `${root}/memory/jobs/7` },
      cpu: { root: `${root}/cpu,cpuacct`, own: `${root}/cpu,cpuacct` },
      cpuacct: { root: `${root}/cpu,cpuacct`, own: `${root}/cpu,cpuacct` },
    },
    v2: { root: `${root}/unified`, own: `${root}/unified/user` },
  });
});

test('in a container, where only a part of the tree is mounted, our place is within that part', async () => {
  await mkdir(join(folder, 'memory/inner'), { recursive: true });
  const found = await describe(
    [`35 31 0:32 /docker/abc ${folder}/memory rw - cgroup cgroup rw,memory`],
    ['4:memory:/docker/abc/inner'],
  );
  expect(found.v1['memory']).toEqual({ root: `${folder}/memory`, own: `${folder}/memory/inner` });
});

test('a place that lies outside of what is mounted is taken to be its top', async () => {
  await mkdir(join(folder, 'unified'));
  const found = await describe([`41 31 0:38 / ${folder}/unified rw - cgroup2 cgroup2 rw`], ['0::/../other']);
  expect(found.v2).toEqual({ root: `${folder}/unified`, own: `${folder}/unified` });
});

test('there is none where no such files can be read', () => {
  expect(readHierarchies(join(folder, 'nothing'))).toEqual({ v1: {}, v2: undefined });
});
