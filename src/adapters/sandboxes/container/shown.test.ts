import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { withShown } from './shown.ts';

const folder = await realpath(await mkdtemp(join(tmpdir(), 'switchyard-shown-')));
afterAll(() => rm(folder, { recursive: true, force: true }));

const readOnly = (path: string) => ({ host: path, inside: path, writable: false });

async function file(path: string): Promise<string> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), '', { mode: 0o755 });
  return join(folder, path);
}

test('a program from npm is shown with its package, and started where its links lead', async () => {
  const program = await file('node_modules/@some/agent/bin/agent');
  const link = join(folder, 'node_modules/agent-link');
  await symlink(program, link);
  expect(await withShown([], { program: { argv: [link, '-x'] }, reads: [] })).toEqual({
    mounts: [readOnly(join(folder, 'node_modules/@some/agent'))],
    argv: [program, '-x'],
  });
});

test('another file of this machine is shown alone; what the system or the image has is not', async () => {
  const program = await file('opt/agent');
  const shown = async (name: string) => withShown([], { program: { argv: [name] }, reads: [] });
  expect(await shown(program)).toEqual({ mounts: [readOnly(program)], argv: [program] });
  expect(await shown('/usr/bin/env')).toEqual({ mounts: [], argv: ['/usr/bin/env'] });
  expect(await shown('/bin/sh')).toEqual({ mounts: [], argv: ['/bin/sh'] });
  expect(await shown('agent')).toEqual({ mounts: [], argv: ['agent'] });
  expect(await shown(join(folder, 'nothing'))).toEqual({ mounts: [], argv: [join(folder, 'nothing')] });
});

test('a program of a mount is the mount’s, whatever this machine has at that place', async () => {
  const own = await file('place/tool');
  await file('tree/tool');
  const mount = { host: join(folder, 'tree'), inside: join(folder, 'place'), writable: true };
  expect(await withShown([mount], { program: { argv: [own] }, reads: [] })).toEqual({ mounts: [mount], argv: [own] });
  await rm(join(folder, 'tree/tool'));
  expect(await withShown([mount], { program: { argv: [own] }, reads: [] })).toEqual({
    mounts: [mount, readOnly(own)],
    argv: [own],
  });
});

test('what all programs may read lies below the mounts, and is shown once', async () => {
  const path = await file('shared/file');
  const mount = { host: folder, inside: '/workspace', writable: true };
  const asked = { program: { argv: ['x'], reads: [path] } as const, reads: [path, join(folder, 'gone')] };
  expect((await withShown([mount], asked)).mounts).toEqual([readOnly(path), mount]);
  expect((await withShown([readOnly(folder)], asked)).mounts).toEqual([readOnly(folder)]);
});
