import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { plainGit } from '../testing/temp-repository.ts';
import { agentIn, exists, type Fixture, fixture, TEXT } from './fixture.ts';

/** What an agent's own git may hold so that ours runs something, delivers something odd, or stops. */

const inCheckout = (folder: string, script: string) =>
  execFileSync('/bin/sh', ['-ec', script], {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1' },
  }).toString();

const NESTED =
  'git init -q sub && echo in >sub/in && git -C sub add -A && git -C sub -c user.name=x -c user.email=x@y commit -qm in';

async function messageOf(at: Fixture, commit: string): Promise<string> {
  return plainGit(at.store.path, 'log', '-1', '--format=%B', commit);
}

test('the filter of a nested repository is not run, not even where its gitlink is in the index', async () => {
  await using at = await fixture();
  const { workspace } = await at.open();
  inCheckout(
    workspace.folder,
    `${NESTED} && git -C sub config filter.x.clean 'touch "${at.canary}"; cat' && echo '* filter=x' >sub/.git/info/attributes && touch -d 2001-01-01 sub/in`,
  );
  await workspace.checkpoint();
  const { notes } = await workspace.collect(TEXT);
  expect(notes).toContainEqual(expect.stringContaining('sub is a repository of its own'));
  expect(existsSync(at.canary)).toBe(false);
});

const SIGNED = `signed=$( (printf 'tree %s\\n' $(git rev-parse HEAD^{tree}); printf 'author a <a@b> 1 +0000\\ncommitter a <a@b> 1 +0000\\ngpgsig -----BEGIN PGP SIGNATURE-----\\n \\n x\\n -----END PGP SIGNATURE-----\\n\\nsigned\\n') | git hash-object -t commit -w --stdin)`;

test('no program looks at the signature of a stash, which is kept all the same', async () => {
  await using at = await fixture();
  const { workspace } = await at.open();
  const script = join(workspace.folder, 'gpg');
  await agentIn(workspace.folder).write({ gpg: `#!/bin/sh\ntouch '${at.canary}'\n`, '.gitignore': 'gpg\n' });
  inCheckout(
    workspace.folder,
    `chmod +x gpg; git config gpg.program "${script}"; git config log.showSignature true; ${SIGNED}; git -c user.name=x -c user.email=x@y update-ref --create-reflog -m x refs/stash $signed`,
  );
  const { notes } = await workspace.collect(TEXT);
  expect(notes).toContainEqual(expect.stringMatching(/\(stash\) is not on the run's branch: kept as .*\/stash\.$/));
  expect(existsSync(at.canary)).toBe(false);
});

test('a name that other systems take for .git is left out, and names in any alphabet are not', async () => {
  await using at = await fixture();
  const { workspace } = await at.open();
  const odd = '.g\u200cit';
  await agentIn(workspace.folder).write({ [`${odd}/config`]: '[core]\n', 'fine\u200c.txt': 'x\n', '.gitfoo': 'x\n' });
  const { head, notes } = await workspace.collect(TEXT);
  const paths = (await plainGit(at.store.path, 'ls-tree', '-r', '-z', '--name-only', head)).split('\0');
  expect(paths.filter((path) => path !== '').sort()).toEqual(['.gitfoo', 'a.txt', 'fine\u200c.txt']);
  expect(notes).toContainEqual(expect.stringContaining('could not be read and were left out'));
});

test('a ref whose name is longer than that of a file can be is kept under a shorter one', async () => {
  await using at = await fixture();
  const { workspace } = await at.open();
  const long = 'ä'.repeat(150);
  inCheckout(
    workspace.folder,
    `c=$(git -c user.name=x -c user.email=x@y commit-tree -m long HEAD^{tree}); echo "$c refs/heads/${long}" >>.git/packed-refs; c=$(git -c user.name=x -c user.email=x@y commit-tree -m longer HEAD^{tree}); echo "$c refs/tags/${'a'.repeat(300)}" >>.git/packed-refs`,
  );
  const { notes } = await workspace.collect(TEXT);
  expect(notes.length).toBe(2);
  expect((await at.store.list('refs/switchyard/salvage/r1/')).length).toBe(2);
});

test("trailers that are the harness's own are taken out of an agent's message, and its others stay", async () => {
  await using at = await fixture();
  const { workspace } = await at.open();
  const message =
    'Change b\n\nWhy: because\nSwitchyard-Run: other\nswitchyard-step : other\nSWITCHYARD-RUN: again\nFixes: 12';
  await agentIn(workspace.folder).commit({ 'b.txt': 'b\n' }, message);
  const { head } = await workspace.collect(TEXT);
  expect(await messageOf(at, head)).toBe('Change b\n\nWhy: because\nFixes: 12\nSwitchyard-Run: r1\n');
  expect(await exists(join(workspace.folder, 'b.txt'))).toBe(true);
});
