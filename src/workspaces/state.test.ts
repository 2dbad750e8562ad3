import { chmod, lstat, readFile, readlink, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { plainGit, writeFiles } from '../testing/temp-repository.ts';
import { agentIn, dyingAt, exists, fixture, listPart, TEXT } from './fixture.ts';

const listing = async (store: string, commit: string): Promise<string[]> =>
  (await plainGit(store, 'ls-tree', '-r', '--name-only', '-z', commit)).split('\0').filter((name) => name !== '');

const pathsOf = (lines: readonly string[]): string[] => lines.map((line) => line.slice(line.indexOf('\t') + 1));
const isPart = (path: string): boolean => /^(carry|homes)\.[0-9a-f]{40}\/000000$/.test(path);

test('a checkpoint holds uncollected changes, carried files and session files, on top of the branch', async () => {
  await using at = await fixture({ 'a.txt': 'a\n', '.gitignore': '*.local\n' });
  const request = {
    carry: ['*.local', 'cache/**'],
    sessionFiles: [{ agent: 'codex', globs: ['.codex/sessions/**/*.jsonl'] }],
  };
  const { workspace } = await at.open(request);
  const agent = agentIn(workspace.folder);
  const tip = await agent.commit({ 'b.txt': 'b\n' }, 'Mine');
  await agent.write({ 'a.txt': 'changed\n', 'x.local': 'secret\n', 'cache/deep/y': 'y' });
  await writeFiles(workspace.homes, {
    'codex/.codex/sessions/1/s.jsonl': '{}\n',
    'codex/.codex/auth.json': 'token',
    'other/.codex/sessions/s.jsonl': '',
  });
  const commit = await workspace.checkpoint();
  expect(workspace.head).toBe(at.base);
  expect(await at.store.resolve('refs/switchyard/runs/r1/checkpoint-implement-1')).toBe(commit);
  expect(await plainGit(at.store.path, 'rev-parse', `${commit}^`)).toBe(tip);
  const store = at.store.path;
  expect(pathsOf(await listPart(workspace, { store, commit, name: 'carry' }))).toEqual(['cache/deep/y', 'x.local']);
  expect(pathsOf(await listPart(workspace, { store, commit, name: 'homes' }))).toEqual([
    'codex/.codex/sessions/1/s.jsonl',
  ]);
  const all = await listing(store, commit);
  expect(all.filter(isPart)).toHaveLength(2);
  expect(all.filter((path) => !isPart(path))).toEqual([
    'tree/.gitignore',
    'tree/a.txt',
    'tree/b.txt',
    'tree/cache/deep/y',
  ]);
  await plainGit(at.store.path, 'fsck', '--strict', commit);
});

test('the same state gives the same checkpoint, in this workspace object and the next; another state another', async () => {
  await using at = await fixture();
  const { workspace } = await at.open();
  const first = await workspace.checkpoint();
  expect(await workspace.checkpoint()).toBe(first);
  const { workspace: again } = await at.open({ reuse: true });
  expect(await again.checkpoint()).toBe(first);
  await agentIn(workspace.folder).write({ 'b.txt': 'b\n' });
  const second = await again.checkpoint();
  expect(second).not.toBe(first);
  await rm(join(workspace.folder, 'b.txt'));
  expect(await again.checkpoint()).toBe(first);
});

test('a new workspace gets the sessions and carried files that a checkpoint kept, and nothing of its checkout', async () => {
  await using at = await fixture({ 'a.txt': 'a\n', '.gitignore': '*.local\n' });
  const request = { carry: ['*.local'], sessionFiles: [{ agent: 'codex', globs: ['sessions/*'] }] };
  const { workspace } = await at.open(request);
  await agentIn(workspace.folder).write({ 'b.txt': 'b\n', 'x.local': 'x' });
  await writeFiles(workspace.homes, { 'codex/sessions/s': 'one' });
  await workspace.collect(TEXT);
  const kept = await workspace.checkpoint();
  // The run went on from an earlier commit, which the checkpoint's checkout stands on.
  const { workspace: other } = await at.elsewhere({ ...request, kept });
  expect(await readFile(join(other.homes, 'codex/sessions/s'), 'utf8')).toBe('one');
  expect(await readFile(join(other.folder, 'x.local'), 'utf8')).toBe('x');
  expect(await other.changedSince(at.base)).toEqual([]);
  expect(await exists(join(other.folder, 'b.txt'))).toBe(false);
});

test('contents are carried byte by byte, whatever attributes say, with modes, and links as links', async () => {
  await using at = await fixture({ '.gitattributes': '* text=auto eol=lf ident\n', '.gitignore': 'keep/\n' });
  const request = { carry: ['keep/**'], sessionFiles: [{ agent: 'codex', globs: ['**'] }] };
  const { workspace } = await at.open(request);
  const contents = 'a\r\nb\n$Id$\r\n';
  await agentIn(workspace.folder).write({
    'keep/new\nline "q"': contents,
    'keep/run': { executable: '#!/bin/sh\n' },
    'keep/link': { link: '/etc/passwd' },
  });
  await writeFiles(workspace.homes, {
    'codex/.gitattributes': '* text=auto\n',
    'codex/s': contents,
    'codex/out': { link: '/etc' },
  });
  const checkpoint = await workspace.checkpoint();
  const carried = await listPart(workspace, { store: at.store.path, commit: checkpoint, name: 'carry' });
  expect(carried.find((line) => line.endsWith('\tkeep/link'))).toMatch(/^120000 blob /);
  const { workspace: next } = await at.open({ ...request, checkpoint, attempt: 2 });
  const agent = agentIn(next.folder);
  expect(await agent.read('keep/new\nline "q"')).toBe(contents);
  expect((await lstat(join(next.folder, 'keep/run'))).mode & 0o111).toBe(0o111);
  expect(await readlink(join(next.folder, 'keep/link'))).toBe('/etc/passwd');
  expect(await agentIn(next.homes).read('codex/s')).toBe(contents);
  expect(await readlink(join(next.homes, 'codex/out'))).toBe('/etc');
});

test('a carried folder that became a link is saved as the link, and nothing behind it', async () => {
  await using at = await fixture({ '.gitignore': 'keep\n' });
  const { workspace } = await at.open({ carry: ['keep/**', 'keep'] });
  await agentIn(workspace.folder).write({ 'keep/x': 'x' });
  await workspace.checkpoint();
  await rm(join(workspace.folder, 'keep'), { recursive: true });
  await symlink('/etc', join(workspace.folder, 'keep'));
  const checkpoint = await workspace.checkpoint();
  const carried = await listPart(workspace, { store: at.store.path, commit: checkpoint, name: 'carry' });
  expect(carried).toEqual([expect.stringMatching(/^120000 blob [0-9a-f]+\tkeep$/)]);
  expect((await listing(at.store.path, checkpoint)).filter((path) => !isPart(path))).toEqual(['tree/.gitignore']);
});

test('a new workspace from a checkpoint has its uncollected changes as changes, without what was excluded', async () => {
  await using at = await fixture({ 'a.txt': 'a\n', 'gone.txt': 'x\n' });
  const setup = {
    command: 'touch litter',
    env: { PATH: process.env['PATH'] ?? '' },
    timeoutMs: 9000,
    onOutput: () => undefined,
  };
  const { workspace } = await at.open({ setup });
  const agent = agentIn(workspace.folder);
  await agent.commit({ 'b.txt': 'b\n' }, 'Mine');
  await agent.write({ 'a.txt': 'changed\n', 'new/c.txt': 'c\n' });
  await rm(join(workspace.folder, 'gone.txt'));
  await chmod(join(workspace.folder, 'b.txt'), 0o755);
  const checkpoint = await workspace.checkpoint();
  const { workspace: next, fresh, notes } = await at.open({ setup, checkpoint, attempt: 2 });
  expect(fresh).toBe(true);
  expect(notes.join(' ')).toContain(`from checkpoint ${checkpoint.slice(0, 12)}`);
  expect(next.head).toBe(at.base);
  expect(await agentIn(next.folder).git('rev-parse', 'HEAD')).toBe(at.base);
  expect(await next.changedSince(at.base)).toEqual(['a.txt', 'b.txt', 'gone.txt', 'new/c.txt']);
  const { head } = await next.collect(TEXT);
  expect(await listing(at.store.path, head)).toEqual(['a.txt', 'b.txt', 'new/c.txt']);
});

test('a checkout without a file, and parts without a file, are saved and come back as that', async () => {
  await using at = await fixture();
  const request = { carry: ['*.local'], sessionFiles: [{ agent: 'codex', globs: ['sessions/**'] }] };
  const { workspace } = await at.open(request);
  await rm(join(workspace.folder, 'a.txt'));
  const checkpoint = await workspace.checkpoint();
  await plainGit(at.store.path, 'fsck', '--strict', checkpoint);
  const { workspace: next } = await at.open({ ...request, checkpoint, attempt: 2 });
  expect(await next.changedSince(at.base)).toEqual(['a.txt']);
  const { head, changed } = await next.collect(TEXT);
  expect(changed).toBe(true);
  expect(await listing(at.store.path, head)).toEqual([]);
});

test('a checkpoint from before the head gives carried and session files only', async () => {
  await using at = await fixture({ '.gitignore': '*.local\n' });
  const request = { carry: ['*.local'] };
  const { workspace } = await at.open(request);
  const agent = agentIn(workspace.folder);
  await agent.write({ 'x.local': 'x\n', 'half.txt': 'half\n' });
  const checkpoint = await workspace.checkpoint();
  await agent.write({ 'half.txt': 'whole\n' });
  const { head } = await workspace.collect(TEXT);
  const { workspace: next } = await at.open({ ...request, checkpoint, head, step: 'review' });
  expect(await agentIn(next.folder).read('half.txt')).toBe('whole\n');
  expect(await agentIn(next.folder).read('x.local')).toBe('x\n');
  expect(await next.changedSince(head)).toEqual([]);
});

test('a workspace that fell behind a checkpoint made elsewhere is brought to it', async () => {
  await using at = await fixture();
  const { workspace: here } = await at.open();
  await agentIn(here.folder).write({ 'b.txt': 'stale\n' });
  const { workspace: there } = await at.elsewhere({ attempt: 2 });
  await agentIn(there.folder).write({ 'b.txt': 'latest\n' });
  const checkpoint = await there.checkpoint();
  const { workspace, fresh } = await at.open({ reuse: true, checkpoint, attempt: 3 });
  expect(fresh).toBe(false);
  expect(await agentIn(workspace.folder).read('b.txt')).toBe('latest\n');
  expect(await workspace.changedSince(at.base)).toEqual(['b.txt']);
  expect(await at.store.list('refs/switchyard/salvage/r1/')).toHaveLength(1);
});

test('a checkpoint that this workspace made itself never brings it back to then', async () => {
  await using at = await fixture();
  const { workspace } = await at.open();
  await agentIn(workspace.folder).write({ 'b.txt': 'early\n' });
  const early = await workspace.checkpoint();
  await agentIn(workspace.folder).write({ 'b.txt': 'late\n' });
  await workspace.checkpoint();
  const { workspace: again } = await at.open({ reuse: true, checkpoint: early, attempt: 2 });
  expect(await agentIn(again.folder).read('b.txt')).toBe('late\n');
});

test('a checkpoint while another operation runs waits for it', async () => {
  await using at = await fixture();
  const { workspace } = await at.open();
  await agentIn(workspace.folder).write({ 'b.txt': 'b\n' });
  const [collected, checkpoint] = await Promise.all([workspace.collect(TEXT), workspace.checkpoint()]);
  expect(await plainGit(at.store.path, 'rev-parse', `${checkpoint}^`)).toBe(collected.head);
});

test('an operation that failed does not stop the next', async () => {
  await using at = await fixture();
  const { workspace } = await at.open();
  await expect(workspace.reset('0'.repeat(40))).rejects.toMatchObject({ code: 'git/failed' });
  expect(await workspace.restore()).toEqual([]);
});

test.each(['checkpoint.before', 'checkpoint.after'])('a death at %s leaves the workspace usable', async (point) => {
  await using at = await fixture();
  const { workspace } = await at.open({}, dyingAt(point));
  await agentIn(workspace.folder).write({ 'b.txt': 'b\n' });
  await expect(workspace.checkpoint()).rejects.toThrow('killed');
  const { workspace: again } = await at.open({ reuse: true });
  const checkpoint = await again.checkpoint();
  expect(await at.store.resolve('refs/switchyard/runs/r1/checkpoint-implement-1')).toBe(checkpoint);
});

test('after a reset to a commit with a file where a nested repository was, that file stays in what is committed next', async () => {
  await using at = await fixture({ 'a.txt': 'a\n', vendor: 'a file\n' });
  const { workspace } = await at.open();
  const agent = agentIn(workspace.folder);
  await rm(join(workspace.folder, 'vendor'));
  await agent.write({ 'vendor/in.txt': 'x\n' });
  await plainGit(join(workspace.folder, 'vendor'), 'init', '--quiet');
  await workspace.collect(TEXT);
  await workspace.reset(at.base);
  for (const name of ['b.txt', 'c.txt']) {
    await agent.write({ [name]: 'more\n' });
    await workspace.collect(TEXT);
  }
  expect(await plainGit(at.store.path, 'ls-tree', '--name-only', workspace.head)).toBe('a.txt\nb.txt\nc.txt\nvendor');
});

test('reset brings branch, index and files to a commit; untracked files go, ignored ones stay, what is left behind is kept', async () => {
  await using at = await fixture({ 'a.txt': 'a\n', '.gitignore': '*.log\n' });
  const { workspace } = await at.open();
  const agent = agentIn(workspace.folder);
  await agent.write({ 'a.txt': 'one\n', 'b.txt': 'b\n' });
  const { head } = await workspace.collect(TEXT);
  await agent.write({ 'a.txt': 'dirty\n', 'c.txt': 'c\n', 'x.log': 'x', 'sub/in.txt': 'x' });
  await plainGit(join(workspace.folder, 'sub'), 'init', '--quiet');
  await workspace.reset(at.base);
  expect(workspace.head).toBe(at.base);
  expect(await agent.git('status', '--porcelain', '--branch')).toBe('## switchyard/fix-it');
  expect(await agent.git('rev-parse', 'HEAD')).toBe(at.base);
  expect(await agent.read('a.txt')).toBe('a\n');
  expect(
    await Promise.all(['b.txt', 'c.txt', 'sub', 'x.log'].map((name) => exists(join(workspace.folder, name)))),
  ).toEqual([false, false, false, true]);
  expect(await at.store.resolve('refs/switchyard/runs/r1/head')).toBe(at.base);
  expect(await at.store.list('refs/switchyard/salvage/r1/')).toEqual([expect.objectContaining({ commit: head })]);
});

test('restore throws away what changed since the head, and lists it', async () => {
  await using at = await fixture({ 'a.txt': 'a\n', 'gone.txt': 'x\n', '.gitignore': '*.log\n' });
  const { workspace } = await at.open();
  expect(await workspace.restore()).toEqual([]);
  const agent = agentIn(workspace.folder);
  await agent.write({ 'a.txt': 'changed\n', 'new\nline': 'n', 'x.log': 'x', '.gitignore.orig': 'x' });
  await rm(join(workspace.folder, 'gone.txt'));
  await workspace.checkpoint();
  expect(await workspace.restore()).toEqual(['.gitignore.orig', 'a.txt', 'gone.txt', 'new\nline']);
  expect(await agent.git('status', '--porcelain')).toBe('');
  expect(await agent.read('a.txt')).toBe('a\n');
  expect(await exists(join(workspace.folder, 'x.log'))).toBe(true);
  expect(await workspace.restore()).toEqual([]);
});

test('a change that keeps size and time of a file is seen', async () => {
  await using at = await fixture({ 'a.txt': 'one\n' });
  const { workspace } = await at.open();
  await workspace.checkpoint();
  const { atime, mtime } = await lstat(join(workspace.folder, 'a.txt'));
  await writeFile(join(workspace.folder, 'a.txt'), 'two\n');
  await utimes(join(workspace.folder, 'a.txt'), atime, mtime);
  expect(await workspace.changedSince(at.base)).toEqual(['a.txt']);
});

test('changes are told against any commit, uncollected ones included, nested repositories not', async () => {
  await using at = await fixture({ 'a.txt': 'a\n' });
  const { workspace } = await at.open();
  const agent = agentIn(workspace.folder);
  await agent.write({ 'b.txt': 'b\n' });
  await workspace.collect(TEXT);
  await agent.write({ 'c.txt': 'c\n', 'sub/in.txt': 'x' });
  await agentIn(join(workspace.folder, 'sub')).git('init', '--quiet');
  await agentIn(join(workspace.folder, 'sub')).git(
    '-c',
    'user.name=x',
    '-c',
    'user.email=x@y',
    'commit',
    '--allow-empty',
    '--quiet',
    '-m',
    'x',
  );
  expect(await workspace.changedSince(at.base)).toEqual(['b.txt', 'c.txt']);
  expect(await workspace.changedSince(workspace.head)).toEqual(['c.txt']);
});
