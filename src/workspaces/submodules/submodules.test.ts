import { access, lstat, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { plainGit, type TempFolder, tempFolder, writeFiles } from '../../testing/temp-repository.ts';
import { openGitStore } from '../git-store.ts';
import { bringSubmodules } from './bring-submodules.ts';
import { laySubmodules } from './lay-submodules.ts';

/** `app` with the submodule `libs/lib`, which has the submodule `deep`; all of them side by side, as on a server. */
async function team(): Promise<TempFolder & { commit(name: string, files: Record<string, string>): Promise<string> }> {
  const temp = await tempFolder();
  onTestFinished(() => temp[Symbol.asyncDispose]());
  for (const name of ['deep', 'lib', 'app']) {
    const path = join(temp.path, name);
    await mkdir(path);
    await plainGit(path, 'init', '--quiet', '--initial-branch=main');
    for (const [key, value] of [
      ['user.name', 'Ada'],
      ['user.email', 'ada@example.com'],
      ['protocol.file.allow', 'always'],
    ] as const)
      await plainGit(path, 'config', key, value);
  }
  const commit = async (name: string, files: Record<string, string>) => {
    const path = join(temp.path, name);
    await writeFiles(path, files);
    await plainGit(path, 'add', '-A');
    await plainGit(path, 'commit', '--quiet', '--allow-empty', '-m', 'A change');
    return plainGit(path, 'rev-parse', 'HEAD');
  };
  const add = async (name: string, url: string, at: string) =>
    plainGit(join(temp.path, name), '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', '--', url, at);
  await commit('deep', { 'deep.txt': 'deep\n' });
  await commit('lib', { 'lib.txt': 'lib\n', 'run.sh': '#!/bin/sh\n' });
  await add('lib', '../deep', 'deep');
  await commit('lib', {});
  await commit('app', { 'a.txt': 'a\n' });
  await add('app', '../lib', 'libs/lib');
  await commit('app', {});
  return Object.assign(temp, { commit });
}

async function clone(temp: TempFolder, name: string, ...args: string[]): Promise<string> {
  const path = join(temp.path, name);
  await plainGit(
    temp.path,
    '-c',
    'protocol.file.allow=always',
    'clone',
    '--quiet',
    ...args,
    join(temp.path, 'app'),
    path,
  );
  return path;
}

async function bring(temp: TempFolder, repository: string) {
  const store = await openGitStore({ folder: join(temp.path, 'stores'), repositoryPath: repository });
  const commit = await store.fetchCommit('HEAD');
  return { store, commit, brought: await bringSubmodules({ store: store.path, repository: store.repository, commit }) };
}

async function laid(temp: TempFolder, repository: string): Promise<string> {
  const { store, commit, brought } = await bring(temp, repository);
  const folder = join(temp.path, 'laid');
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder);
  await plainGit(folder, `--git-dir=${store.path}`, `--work-tree=${folder}`, 'read-tree', '--reset', '-u', commit);
  await rm(join(store.path, 'index'), { force: true });
  await laySubmodules({ folder, submodules: brought.all, indexes: join(temp.path, 'indexes') });
  return folder;
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

test('the files of submodules and of those within them come from the clone that has them', async () => {
  const temp = await team();
  const path = await clone(temp, 'clone', '--recurse-submodules');
  for (const gone of ['app', 'lib', 'deep']) await rm(join(temp.path, gone), { recursive: true });
  const folder = await laid(temp, path);
  expect(await readFile(join(folder, 'libs/lib/lib.txt'), 'utf8')).toBe('lib\n');
  expect(await readFile(join(folder, 'libs/lib/deep/deep.txt'), 'utf8')).toBe('deep\n');
  expect(await exists(join(folder, 'libs/lib/.git'))).toBe(false);
  expect(await exists(join(folder, 'libs/lib/deep/.git'))).toBe(false);
});

test('what the clone does not have comes from beside its remote, and once only', async () => {
  const temp = await team();
  const path = await clone(temp, 'clone');
  const { brought } = await bring(temp, path);
  expect(brought.all.map((one) => one.path)).toEqual(['libs/lib', 'libs/lib/deep']);
  for (const gone of ['lib', 'deep']) await rm(join(temp.path, gone), { recursive: true });
  const folder = await laid(temp, path);
  expect(await readFile(join(folder, 'libs/lib/deep/deep.txt'), 'utf8')).toBe('deep\n');
  expect(await exists(join(path, '.git/modules'))).toBe(false);
});

test('the commit that counts is the one of the base, not what the checkout has', async () => {
  const temp = await team();
  const path = await clone(temp, 'clone', '--recurse-submodules');
  await temp.commit('lib', { 'lib.txt': 'newer\n' });
  await plainGit(join(path, 'libs/lib'), 'pull', '--quiet', join(temp.path, 'lib'), 'main');
  await writeFile(join(path, '.gitmodules'), '[submodule "libs/lib"]\n\tpath = libs/lib\n\turl = /nowhere\n');
  const folder = await laid(temp, path);
  expect(await readFile(join(folder, 'libs/lib/lib.txt'), 'utf8')).toBe('lib\n');
});

test('what cannot be brought is refused, with what was tried', async () => {
  const temp = await team();
  const path = await clone(temp, 'clone');
  for (const gone of ['lib', 'deep']) await rm(join(temp.path, gone), { recursive: true });
  await expect(bring(temp, path)).rejects.toMatchObject({
    code: 'repository/submodule-missing',
    message: expect.stringMatching(
      /^The submodule libs\/lib could not be brought at commit \w{12}: your clone does not have it; file: /,
    ),
    hint: expect.stringContaining('git submodule update --init --recursive'),
  });
});

test('an address that starts a program is not followed, nor is one of a file', async () => {
  for (const url of [
    'ext::sh -c touch% /tmp/switchyard-canary',
    '--upload-pack=touch',
    '/etc',
    'http://127.0.0.1:9/lib',
  ]) {
    const temp = await team();
    await temp.commit('app', { '.gitmodules': `[submodule "libs/lib"]\n\tpath = libs/lib\n\turl = ${url}\n` });
    const path = await clone(temp, 'clone');
    await expect(bring(temp, path), url).rejects.toMatchObject({
      code: 'repository/submodule-missing',
      message: expect.stringMatching(/its address|neither/),
    });
  }
  expect(await exists('/tmp/switchyard-canary')).toBe(false);
});

test('a name that leads out of the folder of clones names none', async () => {
  const temp = await team();
  const text = '[submodule "../../deep"]\n\tpath = libs/lib\n\turl = ../lib\n';
  await temp.commit('app', { '.gitmodules': text });
  const { brought } = await bring(temp, await clone(temp, 'clone'));
  expect(brought).toEqual({
    all: [],
    notes: ['libs/lib is a submodule without an entry in .gitmodules: it stays empty.'],
  });
});

test('over ssh the person’s own program is used; a server that gives out no commit by its id gives its branches', async () => {
  const temp = await team();
  await temp.commit('app', {
    '.gitmodules': '[submodule "libs/lib"]\n\tpath = libs/lib\n\turl = git@example.org:lib\n',
  });
  await temp.commit('lib', { 'lib.txt': 'newer\n' });
  const ssh = join(temp.path, 'ssh.sh');
  // Spoken to in its first protocol, git gives out only what a branch or tag points to.
  await writeFile(ssh, `#!/bin/sh\nunset GIT_PROTOCOL\nfor last; do :; done\ncd ${temp.path} && exec sh -c "$last"\n`, {
    mode: 0o755,
  });
  vi.stubEnv('GIT_SSH_COMMAND', ssh);
  vi.stubEnv('GIT_SSH_VARIANT', 'ssh');
  onTestFinished(() => void vi.unstubAllEnvs());
  const folder = await laid(temp, await clone(temp, 'clone'));
  expect(await readFile(join(folder, 'libs/lib/lib.txt'), 'utf8')).toBe('lib\n');
  expect(await readFile(join(folder, 'libs/lib/deep/deep.txt'), 'utf8')).toBe('deep\n');
});

test('a link in the way is refused, and nothing is written behind it', async () => {
  const temp = await team();
  const { brought } = await bring(temp, await clone(temp, 'clone', '--recurse-submodules'));
  await writeFiles(temp.path, { 'laid/libs': { link: '../outside' }, 'outside/x': '' });
  const laying = laySubmodules({
    folder: join(temp.path, 'laid'),
    submodules: brought.all,
    indexes: join(temp.path, 'indexes'),
  });
  await expect(laying).rejects.toMatchObject({ code: 'workspace/cannot-create' });
  expect(await exists(join(temp.path, 'outside/lib'))).toBe(false);
});

test('executables stay so, and what lay there before goes', async () => {
  const temp = await team();
  await plainGit(join(temp.path, 'lib'), 'update-index', '--chmod=+x', 'run.sh');
  await plainGit(join(temp.path, 'lib'), 'commit', '--quiet', '-m', 'Executable');
  await plainGit(join(temp.path, 'app/libs/lib'), 'pull', '--quiet', join(temp.path, 'lib'), 'main');
  await temp.commit('app', {});
  const path = await clone(temp, 'clone', '--recurse-submodules');
  const folder = await laid(temp, path);
  expect((await lstat(join(folder, 'libs/lib/run.sh'))).mode & 0o111).toBe(0o111);
  const { brought } = await bring(temp, path);
  await writeFiles(folder, { 'libs/lib/stray': '' });
  await laySubmodules({ folder, submodules: brought.all, indexes: join(temp.path, 'indexes') });
  expect(await exists(join(folder, 'libs/lib/stray'))).toBe(false);
});

test('a repository without submodules needs nothing', async () => {
  const temp = await team();
  const { brought, store } = await bring(temp, join(temp.path, 'deep'));
  expect(brought).toEqual({ all: [], notes: [] });
  expect(await exists(join(store.path, 'submodules'))).toBe(false);
});
