import { appendFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { plainGit, writeFiles } from '../../../testing/temp-repository.ts';
import { SECOND, stage } from './fixture.ts';

test('a branch is published with its objects and nothing else, and publishing again is the same', async () => {
  await using at = await stage();
  const forge = at.forge();
  const before = (await readdir(join(at.repository.path, '.git'))).sort();
  const config = await at.read('.git/config');
  expect(await forge.branch('switchyard/x')).toBeUndefined();
  const request = { branch: 'switchyard/x', commit: at.to, expected: undefined };
  expect(await forge.publish(request)).toEqual({ kind: 'published' });
  expect(await forge.publish(request)).toEqual({ kind: 'published' });
  expect(await forge.publish({ ...request, expected: at.from })).toEqual({ kind: 'published' });
  expect(await forge.branch('switchyard/x')).toBe(at.to);
  await at.repository.git('fsck', '--connectivity-only');
  expect((await readdir(join(at.repository.path, '.git'))).sort()).toEqual(before);
  expect(await at.read('.git/config')).toBe(config);
  expect(await at.repository.git('for-each-ref', '--format=%(refname)')).toBe(
    'refs/heads/main\nrefs/heads/switchyard/x',
  );
});

test('a branch that someone else moved or made is not touched', async () => {
  await using at = await stage();
  const forge = at.forge();
  expect(await forge.publish({ branch: 'main', commit: at.to, expected: undefined })).toEqual({
    kind: 'moved',
    actual: at.from,
  });
  expect(await forge.publish({ branch: 'new', commit: at.to, expected: at.from })).toEqual({
    kind: 'moved',
    actual: undefined,
  });
  expect(await at.head()).toBe(at.from);
});

test('a published branch that the person looks at takes their checkout along, or stays while they work in it', async () => {
  await using at = await stage();
  const forge = at.forge();
  await forge.publish({ branch: 'x', commit: at.from, expected: undefined });
  await at.repository.git('switch', '--quiet', 'x');
  await appendFile(join(at.repository.path, 'a.txt'), 'mine\n');
  const request = { branch: 'x', commit: at.to, expected: at.from };
  await expect(forge.publish(request)).rejects.toMatchObject({
    code: 'forge/branch-checked-out',
    message: expect.stringContaining('a.txt'),
  });
  expect(await forge.branch('x')).toBe(at.from);
  await at.repository.git('checkout', '--quiet', '--', 'a.txt');
  expect(await forge.publish(request)).toEqual({ kind: 'published' });
  expect(await at.status()).toBe('');
  expect(await at.read('a.txt')).toBe('A\n');
});

test('a branch is deleted only from where it is expected, and not under a checkout', async () => {
  await using at = await stage();
  const forge = at.forge();
  await forge.publish({ branch: 'x', commit: at.to, expected: undefined });
  expect(await forge.unpublish({ branch: 'x', expected: at.from })).toBe(false);
  await at.repository.git('switch', '--quiet', 'x');
  expect(await forge.unpublish({ branch: 'x', expected: at.to })).toBe(false);
  await at.repository.git('switch', '--quiet', 'main');
  expect(await forge.unpublish({ branch: 'x', expected: at.to })).toBe(true);
  expect(await forge.unpublish({ branch: 'x', expected: at.to })).toBe(false);
  expect(await forge.branch('x')).toBeUndefined();
});

test("none of the person's hooks runs, and their filters count", async () => {
  await using at = await stage({
    files: { ...SECOND, '.gitattributes': 'up.txt filter=upper\n', 'up.txt': 'quiet\n' },
  });
  const fire = { executable: `#!/bin/sh\ntouch '${at.home}/canary'\n` };
  const hooks = [
    'reference-transaction',
    'post-checkout',
    'post-merge',
    'post-index-change',
    'pre-push',
    'update',
    'post-update',
  ];
  await writeFiles(join(at.repository.path, '.git/hooks'), Object.fromEntries(hooks.map((name) => [name, fire])));
  await at.repository.git('config', 'core.fsmonitor', join(at.repository.path, '.git/hooks/update'));
  await at.repository.git('config', 'filter.upper.smudge', 'tr a-z A-Z');
  await at.repository.git('config', 'filter.upper.clean', 'tr A-Z a-z');
  const forge = at.forge();
  await forge.publish({ branch: 'x', commit: at.to, expected: undefined });
  await forge.move({ branch: 'main', from: at.from, to: at.to });
  await forge.unpublish({ branch: 'x', expected: at.to });
  await forge.push('main');
  await expect(stat(join(at.home, 'canary'))).rejects.toMatchObject({ code: 'ENOENT' });
  expect(await at.read('up.txt')).toBe('QUIET\n');
});

test('a branch is pushed to its upstream, or to the only remote, under the name that it has there', async () => {
  await using at = await stage();
  const forge = at.forge();
  expect(await forge.push('main')).toMatchObject({ kind: 'refused', message: expect.stringContaining('no remote') });
  const remote = join(at.home, 'remote.git');
  await plainGit(at.home, 'init', '--quiet', '--bare', remote);
  await at.repository.git('remote', 'add', 'up.stream', remote);
  expect(await forge.push('main')).toEqual({ kind: 'pushed' });
  await at.repository.git('config', 'branch.main.remote', 'up.stream');
  await at.repository.git('config', 'branch.main.merge', 'refs/heads/trunk');
  expect(await forge.push('main')).toEqual({ kind: 'pushed' });
  expect(await plainGit(remote, 'for-each-ref', '--format=%(refname)')).toBe('refs/heads/main\nrefs/heads/trunk');
  await at.repository.git('remote', 'set-url', 'up.stream', join(at.home, 'missing'));
  expect(await forge.push('main')).toMatchObject({ kind: 'refused', message: expect.stringContaining('missing') });
});
