import { chmod, mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { plainGit, tempFolder, tempRepository, writeFiles } from '../../testing/temp-repository.ts';
import { dirtyFiles, inspectRepository, listWorktrees, userIdentity } from './repository.ts';

test('a folder without a repository is none', async () => {
  await using folder = await tempFolder();
  expect(await inspectRepository(folder.path)).toBeUndefined();
  expect(await inspectRepository(join(folder.path, 'missing'))).toBeUndefined();
});

test('a checkout is described from any folder within', async () => {
  await using repository = await tempRepository({ 'src/deep/a.txt': 'a\n' }, { name: 'it\'s a "repo"\nof mine' });
  const found = await inspectRepository(join(repository.path, 'src/deep'));
  expect(found).toEqual({
    toplevel: repository.path,
    gitDir: join(repository.path, '.git'),
    commonDir: join(repository.path, '.git'),
    bare: false,
    empty: false,
    shallow: false,
    objectFormat: 'sha1',
    head: await repository.git('rev-parse', 'HEAD'),
    branch: 'main',
  });
});

test('a repository without a commit is empty, on the branch that is to be born', async () => {
  await using repository = await tempRepository({});
  expect(await inspectRepository(repository.path)).toMatchObject({ empty: true, head: undefined, branch: 'main' });
});

test('an unborn branch beside others is not empty', async () => {
  await using repository = await tempRepository();
  await repository.git('switch', '--quiet', '--orphan', 'fresh');
  expect(await inspectRepository(repository.path)).toMatchObject({ empty: false, head: undefined, branch: 'fresh' });
});

test('a detached HEAD has a commit and no branch', async () => {
  await using repository = await tempRepository();
  await repository.git('checkout', '--quiet', '--detach');
  const head = await repository.git('rev-parse', 'HEAD');
  expect(await inspectRepository(repository.path)).toMatchObject({ branch: undefined, head });
});

test('a bare repository has no checkout', async () => {
  await using repository = await tempRepository({}, { bare: true });
  expect(await inspectRepository(repository.path)).toMatchObject({
    bare: true,
    toplevel: undefined,
    commonDir: repository.path,
  });
});

test('a shallow clone is told from a whole one', async () => {
  await using origin = await tempRepository();
  await origin.commit({ 'b.txt': 'b\n' });
  await using folder = await tempFolder();
  await plainGit(folder.path, 'clone', '--quiet', '--depth=1', `file://${origin.path}`, 'shallow');
  expect(await inspectRepository(join(folder.path, 'shallow'))).toMatchObject({ shallow: true });
});

test('linked worktrees share one repository and are all listed with their branches', async () => {
  await using repository = await tempRepository();
  await using folder = await tempFolder();
  const linked = join(folder.path, 'linked\nhere');
  await repository.git('worktree', 'add', '--quiet', '-b', 'feature/one', linked);
  const found = await inspectRepository(linked);
  expect(found).toMatchObject({ toplevel: linked, branch: 'feature/one', commonDir: join(repository.path, '.git') });
  expect(await listWorktrees(join(repository.path, '.git'))).toEqual([
    { path: repository.path, branch: 'main', bare: false },
    { path: linked, branch: 'feature/one', bare: false },
  ]);
});

test('a link to a repository leads to the same one', async () => {
  await using repository = await tempRepository();
  await using folder = await tempFolder();
  await writeFiles(folder.path, { link: { link: repository.path } });
  expect(await inspectRepository(join(folder.path, 'link'))).toMatchObject({
    toplevel: repository.path,
    commonDir: join(repository.path, '.git'),
  });
});

test.skipIf(process.getuid?.() !== 0)("someone else's repository is refused with what to do", async () => {
  await using repository = await tempRepository();
  await plainGit(repository.path, '-c', 'alias.own=!chown -R 12345 .', 'own');
  await expect(inspectRepository(repository.path)).rejects.toMatchObject({
    code: 'repository/not-trusted',
    hint: expect.stringContaining('safe.directory'),
  });
});

test('dirty files are all named, whatever they are called, and ignored ones are not', async () => {
  await using repository = await tempRepository({ 'a.txt': 'a\n', 'gone.txt': 'x\n', '.gitignore': '*.log\n' });
  const odd = ['with space', 'quo"te', 'new\nline', 'ünï', '-dash', 'dir/in side'];
  await writeFiles(repository.path, Object.fromEntries(odd.map((name) => [name, 'x'])));
  await writeFiles(repository.path, { 'a.txt': 'changed\n', 'noise.log': 'x' });
  await rename(join(repository.path, 'gone.txt'), join(repository.path, 'here.txt'));
  expect(await dirtyFiles(repository.path)).toEqual([...odd, 'a.txt', 'gone.txt', 'here.txt'].sort());
});

test('a file that is deleted in the index and lies in the checkout is named once', async () => {
  await using repository = await tempRepository({ 'a.txt': 'a\n', 'b.txt': 'b\n' });
  await plainGit(repository.path, 'rm', '--cached', '--quiet', 'b.txt');
  expect(await dirtyFiles(repository.path)).toEqual(['b.txt']);
});

test("looking runs neither hooks nor the file system monitor of the person's repository, and writes nothing", async () => {
  await using repository = await tempRepository();
  const canary = join(repository.path, '..', 'canary');
  const script = join(repository.path, '..', 'fire');
  await writeFile(script, `#!/bin/sh\ntouch '${canary}'\n`);
  await chmod(script, 0o755);
  await repository.git('config', 'core.fsmonitor', script);
  await mkdir(join(repository.path, '.git/hooks'), { recursive: true });
  await writeFiles(join(repository.path, '.git/hooks'), {
    'post-index-change': { executable: `#!/bin/sh\ntouch '${canary}'\n` },
  });
  await writeFiles(repository.path, { 'README.md': 'hello\n' });
  await inspectRepository(repository.path);
  await dirtyFiles(repository.path);
  await listWorktrees(join(repository.path, '.git'));
  await expect(chmod(canary, 0o600)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('the identity is the configured one, and parts without configuration are missing', async () => {
  await using repository = await tempRepository();
  expect(await userIdentity(repository.path)).toMatchObject({ name: 'Ada', email: 'ada@example.com' });
  await repository.git('config', 'author.name', 'Ada L.');
  await repository.git('config', 'user.email', '');
  expect(await userIdentity(repository.path)).toEqual({ name: 'Ada L.', email: '' });
});
