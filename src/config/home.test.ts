import { chmod, mkdir, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { resolveHome } from '../lib/home.ts';
import { tempFolder } from '../testing/temp-repository.ts';
import { ensureHome } from './home.ts';

const modeOf = async (path: string) => (await stat(path)).mode & 0o777;

test('makes the folders of a home for this user alone, and again without harm', async () => {
  await using folder = await tempFolder();
  const home = resolveHome({ SWITCHYARD_HOME: join(folder.path, 'home') });
  await ensureHome(home);
  await ensureHome(home);
  for (const made of [home.folder, home.repositories, home.bases, home.workspaces, home.blobs])
    expect(await modeOf(made)).toBe(0o700);
});

test('leaves the permissions of a folder that exists', async () => {
  await using folder = await tempFolder();
  await chmod(folder.path, 0o755);
  await ensureHome(resolveHome({ SWITCHYARD_HOME: folder.path }));
  expect(await modeOf(folder.path)).toBe(0o755);
});

test('a long path has its socket in a private folder elsewhere', async () => {
  await using folder = await tempFolder();
  const runtime = join(folder.path, 'run');
  const home = resolveHome({ SWITCHYARD_HOME: join(folder.path, 'x'.repeat(100)), XDG_RUNTIME_DIR: runtime });
  await ensureHome(home);
  expect(home.socket.startsWith(`${runtime}/`)).toBe(true);
  expect(await modeOf(runtime)).toBe(0o700);
});

test('refuses a folder for the socket that others can enter, and a link in its place', async () => {
  await using folder = await tempFolder();
  const env = (name: string) => ({
    SWITCHYARD_HOME: join(folder.path, 'y'.repeat(100)),
    XDG_RUNTIME_DIR: join(folder.path, name),
  });
  await mkdir(join(folder.path, 'open'));
  await chmod(join(folder.path, 'open'), 0o755);
  await symlink(folder.path, join(folder.path, 'link'));
  for (const name of ['open', 'link']) {
    await expect(ensureHome(resolveHome(env(name)))).rejects.toMatchObject({ code: 'home/unsafe-socket-folder' });
  }
});
