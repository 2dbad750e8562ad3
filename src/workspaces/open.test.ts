import { mkdir, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { noCrashPoint } from '../lib/crash-point.ts';
import { unmountBelow } from '../lib/mounts.ts';
import { plainWorkspaces } from '../testing/plain-workspaces.ts';
import { plainGit, writeFiles } from '../testing/temp-repository.ts';
import { agentIn, dyingAt, exists, fixture, IDENTITY, TEXT } from './fixture.ts';
import { openGitStore } from './git-store.ts';
import { createWorkspaces, type OpenRequest } from './workspaces.ts';

function setup(
  command: string,
  more: Partial<NonNullable<OpenRequest['setup']>> = {},
): NonNullable<OpenRequest['setup']> {
  return { command, env: { PATH: process.env['PATH'] ?? '' }, timeoutMs: 30_000, onOutput: () => undefined, ...more };
}

test('a new workspace has the files, a branch of its own, the identity and no remotes', async () => {
  await using at = await fixture({ 'a.txt': 'a\n', 'dir/run': { executable: '#!/bin/sh\n' } });
  const { workspace, fresh, notes } = await at.open({ sessionFiles: [{ agent: 'codex', globs: [] }] });
  expect({ fresh, notes, head: workspace.head }).toEqual({ fresh: true, notes: [], head: at.base });
  expect(workspace.folder).toBe(join(at.folder, 'r1/tree'));
  expect(await readdir(workspace.homes)).toEqual(['codex']);
  const agent = agentIn(workspace.folder);
  expect(await agent.git('status', '--porcelain', '--branch')).toBe('## switchyard/fix-it');
  expect(await agent.git('log', '--format=%H')).toBe(at.base);
  expect(await agent.git('rev-parse', 'refs/switchyard/base')).toBe(at.base);
  expect(await agent.git('var', 'GIT_AUTHOR_IDENT')).toContain(`${IDENTITY.name} <${IDENTITY.email}>`);
  expect(await agent.git('remote')).toBe('');
  await agent.git('fsck', '--strict');
});

test("opening writes nothing in the person's repository", async () => {
  await using at = await fixture();
  const before = await at.repository.git('for-each-ref');
  await at.open();
  expect(await at.repository.git('for-each-ref')).toBe(before);
  expect(await at.repository.git('worktree', 'list', '--porcelain')).not.toContain('workspaces');
});

test('a workspace that is there is used again, with what is uncollected', async () => {
  await using at = await fixture();
  const { workspace: first } = await at.open();
  await agentIn(first.folder).write({ 'b.txt': 'b\n' });
  const started = at.sandbox.started.length;
  const { workspace, fresh, notes } = await at.open({ reuse: true, attempt: 2 });
  expect({ fresh, notes }).toEqual({ fresh: false, notes: [] });
  expect(at.sandbox.started.length).toBe(started);
  expect(await workspace.changedSince(at.base)).toEqual(['b.txt']);
});

test('without proof that nobody lives there it is made again', async () => {
  await using at = await fixture();
  const { workspace: first } = await at.open();
  await agentIn(first.folder).write({ 'b.txt': 'b\n' });
  const { workspace, fresh } = await at.open({ attempt: 2 });
  expect(fresh).toBe(true);
  expect(await workspace.changedSince(at.base)).toEqual([]);
});

test.each<[string, (root: string) => Promise<unknown>]>([
  ['has no marker', (root) => rm(join(root, 'workspace.json'))],
  ['has a marker of another kind', (root) => writeFile(join(root, 'workspace.json'), '{"version":2}')],
  ['has no files', noFiles],
])('a workspace that %s is made again', async (_, ruin) => {
  await using at = await fixture();
  await at.open();
  await ruin(join(at.folder, 'r1'));
  const { workspace, fresh } = await at.open({ reuse: true });
  expect(fresh).toBe(true);
  expect(await agentIn(workspace.folder).read('a.txt')).toBe('a\n');
});

async function noFiles(root: string): Promise<void> {
  await unmountBelow(root);
  for (const part of ['tree', 'layers']) await rm(join(root, part), { recursive: true });
}

test('locks that killed git left behind are no hindrance', async () => {
  await using at = await fixture();
  await at.open();
  await writeFile(join(at.folder, 'r1/git/index.lock'), '');
  const { workspace } = await at.open({ reuse: true });
  await agentIn(workspace.folder).write({ 'b.txt': 'b\n' });
  expect(await workspace.collect(TEXT)).toMatchObject({ changed: true });
});

test.each<[string, (git: string) => Promise<unknown>]>([
  ['deleted', (git) => rm(git, { recursive: true })],
  ['without refs', (git) => rm(join(git, 'refs'), { recursive: true })],
  ['on no branch that there is', (git) => writeFile(join(git, 'HEAD'), 'ref: refs/heads/else\n')],
  ['with a broken configuration', (git) => writeFile(join(git, 'config'), '[core')],
])("the agent's git directory, %s, is made anew on reuse, and files stay", async (_, ruin) => {
  await using at = await fixture();
  const { workspace: first } = await at.open();
  await agentIn(first.folder).write({ 'b.txt': 'b\n' });
  await ruin(join(first.folder, '.git'));
  const { workspace, notes } = await at.open({ reuse: true });
  expect(notes.join(' ')).toContain('made anew');
  expect(await agentIn(workspace.folder).git('status', '--porcelain', '--branch')).toBe(
    '## switchyard/fix-it\n?? b.txt',
  );
});

test('commits of an interrupted attempt stay on the branch and are collected by the next', async () => {
  await using at = await fixture();
  const { workspace: first } = await at.open();
  const commit = await agentIn(first.folder).commit({ 'b.txt': 'b\n' }, 'Mine');
  const { workspace, notes } = await at.open({ reuse: true, attempt: 2 });
  expect(notes).toEqual([]);
  expect(await agentIn(workspace.folder).git('rev-parse', 'HEAD')).toBe(commit);
  const { head } = await workspace.collect(TEXT);
  expect(await plainGit(at.store.path, 'log', '-1', '--format=%s', head)).toBe('Mine');
});

test('when the run stands elsewhere, the files are brought there and what was only here is kept', async () => {
  await using at = await fixture({ 'a.txt': 'a\n', '.gitignore': 'deps\n' });
  const { workspace: first } = await at.open();
  await agentIn(first.folder).write({ 'a.txt': 'uncollected\n', 'deps/x': 'x' });
  await at.repository.commit({ 'a.txt': 'two\n' });
  const head = await at.store.fetchCommit('main');
  const { workspace, fresh, notes } = await at.open({ reuse: true, head, step: 'review' });
  expect({ fresh, head: workspace.head }).toEqual({ fresh: false, head });
  const agent = agentIn(workspace.folder);
  expect(await agent.read('a.txt')).toBe('two\n');
  expect(await agent.read('deps/x')).toBe('x');
  expect(await agent.git('rev-parse', 'HEAD')).toBe(head);
  const [kept] = await at.store.list('refs/switchyard/salvage/r1/');
  expect(notes.join(' ')).toContain(kept?.ref);
  expect(await plainGit(at.store.path, 'show', `${kept?.commit}:tree/a.txt`)).toBe('uncollected');
});

test.each(['workspace.before', 'workspace.after', 'setup.before', 'setup.after'])(
  'a death at %s leads to a new workspace',
  async (point) => {
    await using at = await fixture();
    const commands = { setup: setup('echo once >> made.txt') };
    await expect(at.open(commands, dyingAt(point))).rejects.toThrow('killed');
    const { workspace, fresh } = await at.open({ ...commands, reuse: true });
    expect(fresh).toBe(true);
    expect(await agentIn(workspace.folder).read('made.txt')).toBe('once\n');
  },
);

test('setup runs once, in the sandbox, with its own environment, and is heard', async () => {
  await using at = await fixture();
  const heard: string[] = [];
  const command = setup('echo "hello $NAME"; echo oops >&2; echo x >> count', {
    env: { PATH: process.env['PATH'] ?? '', NAME: 'wörld' },
    onOutput: (text) => heard.push(text),
  });
  const { workspace } = await at.open({ setup: command });
  expect(heard.join('')).toContain('hello wörld');
  expect(heard.join('')).toContain('oops');
  expect(at.sandbox.started.some(({ argv }) => argv.includes(command.command))).toBe(true);
  await at.open({ setup: command, reuse: true });
  expect(await agentIn(workspace.folder).read('count')).toBe('x\n');
});

test('setup has walls of its own where they are given', async () => {
  await using at = await fixture();
  await using other = await fixture();
  await at.open({ setup: setup('true # mine', { sandbox: other.sandbox }) });
  expect(at.sandbox.started.some(({ argv }) => argv.includes('true # mine'))).toBe(false);
  expect(other.sandbox.started).toHaveLength(1);
});

test('a setup that fails or takes too long rejects with the end of its output', async () => {
  await using at = await fixture();
  const failing = at.open({ setup: setup('echo because; exit 3') });
  await expect(failing).rejects.toMatchObject({
    code: 'workspace/setup-failed',
    message: expect.stringContaining('because'),
  });
  const slow = at.open({ setup: setup('echo begun; sleep 60', { timeoutMs: 300 }) });
  await expect(slow).rejects.toMatchObject({
    code: 'workspace/setup-failed',
    message: expect.stringContaining('begun'),
  });
  const { fresh } = await at.open({ reuse: true });
  expect(fresh).toBe(true);
});

test('an aborted opening ends setup and rejects with the reason', async () => {
  await using at = await fixture();
  const ending = new AbortController();
  const command = setup('echo begun; sleep 60', { onOutput: () => ending.abort(new Error('enough')) });
  await expect(at.open({ setup: command, signal: ending.signal })).rejects.toThrow('enough');
});

test('what setup leaves is no work: new files are kept out of commits, changed ones are put back, both are said', async () => {
  await using at = await fixture({ 'a.txt': 'a\n', '.gitignore': '*.log\n', 'gone.txt': 'x\n' });
  const names = ['with space', 'st*r', 'ne\nw', '!bang', '#hash', 'end ', 'back\\slash', '[x]'];
  const command = setup(
    `printf 'b\\n' > a.txt; rm gone.txt; touch x.log; mkdir gen; touch gen/one; ${names.map((name) => `touch '${name}'`).join('; ')}`,
  );
  const { workspace, notes } = await at.open({ setup: command });
  expect(notes).toHaveLength(2);
  expect(notes[0]).toContain('and 4 more');
  expect(notes[1]).toBe('Setup changed tracked files; they were put back: a.txt, gone.txt.');
  const agent = agentIn(workspace.folder);
  expect(await agent.git('status', '--porcelain')).toBe('');
  expect(await workspace.collect(TEXT)).toMatchObject({ changed: false });
  await agent.write({ 'gen/two': 'work\n', star: 'work\n' });
  expect(await workspace.changedSince(at.base)).toEqual(['gen/two', 'star']);
  await workspace.reset(at.base);
  expect(await exists(join(workspace.folder, 'gen/one'))).toBe(true);
  expect(await exists(join(workspace.folder, 'gen/two'))).toBe(false);
});

test('so many new files that they are excluded by folder are still kept out', async () => {
  await using at = await fixture();
  const { workspace } = await at.open({
    setup: setup('mkdir -p deps/a; for n in $(seq 600); do : > deps/a/$n; done; touch one'),
  });
  expect(await workspace.collect(TEXT)).toMatchObject({ changed: false });
  expect((await readFile(join(at.folder, 'r1/git/info/exclude'), 'utf8')).split('\n')).toEqual(['/deps/', '/one', '']);
});

test("untracked files of the person's checkout are copied where asked for, links as links, and stay out of commits", async () => {
  await using at = await fixture({ 'a.txt': 'a\n', folder: { link: '/tmp' }, '.gitignore': 'ignored.env\n' });
  await writeFiles(at.repository.path, {
    '.env.development': 'KEY=1\n',
    'ignored.env': 'KEY=2\n',
    'conf/deep/x.local': 'x\n',
    'link.env': { link: '/etc/passwd' },
    'a.txt': 'changed\n',
    'other/.git/config': 'x',
    'other/in.txt': 'x',
  });
  const globs = ['.env.*', '*.env', 'conf', 'a.txt', 'other/**', '../*', 'folder/*', '/etc/hostname'];
  const { workspace, notes } = await at.open({ copy: { from: at.repository.path, globs } });
  const agent = agentIn(workspace.folder);
  expect(await agent.read('.env.development')).toBe('KEY=1\n');
  expect(await agent.read('ignored.env')).toBe('KEY=2\n');
  expect(await agent.read('conf/deep/x.local')).toBe('x\n');
  expect(await agent.read('a.txt')).toBe('a\n');
  expect(await readdir(join(workspace.folder, 'other'))).toEqual(['in.txt']);
  expect(await readlink(join(workspace.folder, 'link.env'))).toBe('/etc/passwd');
  expect((await readdir(workspace.folder)).sort()).toEqual(
    ['.env.development', '.git', '.gitignore', 'a.txt', 'conf', 'folder', 'ignored.env', 'link.env', 'other'].sort(),
  );
  expect(notes.join(' ')).toContain('.env.development');
  expect(await workspace.collect(TEXT)).toMatchObject({ changed: false });
});

test('copied files never go through a link of the commit to somewhere else', async () => {
  await using at = await fixture({ 'a.txt': 'a\n' });
  await using other = await fixture();
  await at.repository.commit({ conf: { link: other.repository.path } });
  const head = await at.store.fetchCommit('main');
  await rm(join(at.repository.path, 'conf'));
  await writeFiles(at.repository.path, { 'conf/planted': 'x' });
  const { notes } = await at.open({ head, copy: { from: at.repository.path, globs: ['conf/*'] } });
  expect(await exists(join(other.repository.path, 'planted'))).toBe(false);
  expect(notes.join(' ')).toContain('conf/planted was not copied');
});

test('workspaces are listed and removed by run, and removing again is fine', async () => {
  await using at = await fixture();
  await at.open();
  await at.open({ run: 'r2' });
  const workspaces = createWorkspaces({
    folder: at.folder,
    provider: plainWorkspaces(),
    crashPoint: noCrashPoint,
  });
  expect(await workspaces.list()).toEqual(['r1', 'r2']);
  await workspaces.remove('r1');
  await workspaces.remove('r1');
  expect(await workspaces.list()).toEqual(['r2']);
  await expect(workspaces.remove('../r2')).rejects.toMatchObject({ code: 'workspace/bad-run' });
});

test('a removal that died is ended by the next, and what is left of it is no workspace', async () => {
  await using at = await fixture();
  const { workspace } = await at.open();
  const options = { folder: at.folder, provider: plainWorkspaces() };
  const dying = createWorkspaces({ ...options, crashPoint: dyingAt('workspace-remove.before') });
  await expect(dying.remove('r1')).rejects.toThrow('killed');
  await rm(join(at.folder, 'r1/workspace.json'));
  await mkdir(join(at.folder, 'r1/tree.removed'), { recursive: true });
  expect((await at.open({ reuse: true })).fresh).toBe(true);
  await createWorkspaces({ ...options, crashPoint: noCrashPoint }).remove('r1');
  expect(await exists(workspace.folder)).toBe(false);
});

test('a repository with sha256 names works the same', async () => {
  await using at = await fixture();
  const path = join(at.folder, '../sha256');
  await plainGit(at.repository.path, 'init', '--quiet', '--object-format=sha256', path);
  await writeFiles(path, { 'a.txt': 'a\n' });
  await plainGit(path, 'add', '-A');
  await plainGit(path, '-c', 'user.name=x', '-c', 'user.email=x@y', 'commit', '--quiet', '-m', 'x');
  const store = await openGitStore({ folder: join(at.folder, '../repos'), repositoryPath: path });
  const head = await store.fetchCommit('HEAD');
  const { workspace } = await at.open({ store, head, base: head, carry: ['*.local'] });
  await agentIn(workspace.folder).write({ 'b.txt': 'b\n', 'x.local': 'x' });
  await workspace.checkpoint();
  expect((await workspace.collect(TEXT)).head).toHaveLength(64);
});
