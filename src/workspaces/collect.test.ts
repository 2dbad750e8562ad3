import { chmod, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readCommits } from '../lib/git/commits.ts';
import { plainGit } from '../testing/temp-repository.ts';
import { agentIn, dyingAt, exists, fixture, IDENTITY, TEXT } from './fixture.ts';

/** Files of a commit in the store, by path. */
async function filesAt(store: string, commit: string): Promise<string[]> {
  return (await plainGit(store, 'ls-tree', '-r', '--name-only', '-z', commit))
    .split('\0')
    .filter((name) => name !== '');
}

test('changes that the agent did not commit become one commit by the requester', async () => {
  await using at = await fixture({ 'a.txt': 'a\n', 'gone.txt': 'x\n' });
  const { workspace } = await at.open();
  const agent = agentIn(workspace.folder);
  await agent.write({ 'a.txt': 'changed\n', 'new/b.txt': 'b\n' });
  await rm(join(workspace.folder, 'gone.txt'));
  const { head, changed, notes } = await workspace.collect(TEXT);
  expect({ changed, notes }).toEqual({ changed: true, notes: [] });
  expect(workspace.head).toBe(head);
  expect(await at.store.resolve('refs/switchyard/runs/r1/head')).toBe(head);
  const [commit] = await readCommits(at.store.path, ['--no-walk', head]);
  expect(commit).toMatchObject({
    parents: [at.base],
    author: IDENTITY,
    committer: { name: 'Switchyard', email: 'switchyard@localhost' },
    message: 'Do it\n\nSwitchyard-Run: r1\n',
  });
  expect(await filesAt(at.store.path, head)).toEqual(['a.txt', 'new/b.txt']);
  expect(await agent.git('rev-parse', 'HEAD')).toBe(head);
  expect(await agent.git('status', '--porcelain')).toBe('');
});

test('with nothing changed the head stays and nothing is written', async () => {
  await using at = await fixture();
  const { workspace } = await at.open();
  expect(await workspace.collect(TEXT)).toEqual({ head: at.base, changed: false, notes: [] });
  expect(await at.store.list('refs/switchyard/runs/')).toEqual([]);
});

test("the agent's commits are the run's, with author, date and message, then what is left as one more", async () => {
  await using at = await fixture();
  const { workspace } = await at.open();
  const agent = agentIn(workspace.folder);
  const first = await agent.commit({ 'b.txt': 'b\n' }, 'First\n\nWhy: because\n\nSigned-off-by: X <x@y>');
  await agent.git(
    '-c',
    'user.name=Someone',
    '-c',
    'user.email=s@e',
    'commit',
    '--quiet',
    '--allow-empty',
    '-m',
    'Empty',
  );
  await agent.git(
    '-c',
    'user.name=Someone',
    '-c',
    'user.email=s@e',
    'commit',
    '--quiet',
    '--amend',
    '--reset-author',
    '--no-edit',
    '--allow-empty',
  );
  await agent.commit({ 'c.txt': 'c\n' }, 'Second');
  await agent.write({ 'd.txt': 'd\n' });
  const { head, notes } = await workspace.collect(TEXT);
  expect(notes).toEqual([]);
  const commits = await readCommits(at.store.path, [head, `^${at.base}`]);
  expect(commits.map(({ message }) => message)).toEqual([
    'First\n\nWhy: because\n\nSigned-off-by: X <x@y>\nSwitchyard-Run: r1\n',
    'Second\n\nSwitchyard-Run: r1\n',
    'Do it\n\nSwitchyard-Run: r1\n',
  ]);
  const [original] = await readCommits(join(workspace.folder, '.git'), ['--no-walk', commits[0]!.id]);
  expect(original?.author.date).toBe(commits[0]?.committer.date);
  expect(commits[0]?.id).not.toBe(first);
  expect(await agent.git('log', '--format=%H', `${at.base}..`)).toBe(
    commits
      .map(({ id }) => id)
      .reverse()
      .join('\n'),
  );
});

test('collecting the same commits again gives the same commits', async () => {
  await using at = await fixture();
  const { workspace } = await at.open();
  const agent = agentIn(workspace.folder);
  await agent.commit({ 'b.txt': 'b\n' }, 'First');
  await agent.commit({ 'c.txt': 'c\n' }, 'Second');
  const one = await workspace.collect(TEXT);
  const { workspace: again } = await at.open({ reuse: true, attempt: 2 });
  expect(again.head).toBe(at.base);
  expect(await again.collect(TEXT)).toEqual({ ...one, notes: [] });
});

test('commits that cancel each other out are still the work of the step', async () => {
  await using at = await fixture();
  const { workspace } = await at.open();
  const agent = agentIn(workspace.folder);
  await agent.commit({ 'a.txt': 'b\n' }, 'There');
  await agent.commit({ 'a.txt': 'a\n' }, 'And back');
  expect(await workspace.collect(TEXT)).toMatchObject({ changed: true });
});

test('commits with merges become one commit, and what they were is kept', async () => {
  await using at = await fixture();
  const { workspace } = await at.open();
  const agent = agentIn(workspace.folder);
  await agent.git('switch', '--quiet', '-c', 'side');
  await agent.commit({ 'side.txt': 's\n' }, 'Side');
  await agent.git('switch', '--quiet', 'switchyard/fix-it');
  await agent.commit({ 'main.txt': 'm\n' }, 'Main');
  await agent.git('merge', '--quiet', '--no-edit', 'side');
  const merge = await agent.git('rev-parse', 'HEAD');
  const { head, notes } = await workspace.collect(TEXT);
  expect(notes).toContain('The commits in the workspace contain merges: their changes became one commit.');
  expect(await readCommits(at.store.path, [head, `^${at.base}`])).toHaveLength(1);
  expect(await filesAt(at.store.path, head)).toEqual(['a.txt', 'main.txt', 'side.txt']);
  expect(await at.store.resolve('refs/switchyard/salvage/r1/switchyard/fix-it')).toBe(merge);
});

test('commits on other branches, detached commits and stashes are kept below salvage refs and named', async () => {
  await using at = await fixture();
  const { workspace } = await at.open();
  const agent = agentIn(workspace.folder);
  await agent.git('switch', '--quiet', '-c', 'idea/one');
  const idea = await agent.commit({ 'idea.txt': 'i\n' }, 'Idea');
  await agent.git('switch', '--quiet', 'switchyard/fix-it');
  await agent.write({ 'a.txt': 'stashed\n' });
  await agent.git('stash', '--quiet');
  await agent.write({ 'a.txt': 'stashed too\n' });
  await agent.git('stash', '--quiet');
  await agent.git('checkout', '--quiet', '--detach');
  const detached = await agent.commit({ 'loose.txt': 'l\n' }, 'Loose');
  const { head, notes } = await workspace.collect(TEXT);
  expect(await filesAt(at.store.path, head)).toEqual(['a.txt', 'loose.txt']);
  const kept = await at.store.list('refs/switchyard/salvage/r1/');
  expect(kept).toHaveLength(4);
  expect(kept).toContainEqual({ ref: 'refs/switchyard/salvage/r1/idea/one', commit: idea });
  expect(kept).toContainEqual({ ref: 'refs/switchyard/salvage/r1/detached', commit: detached });
  expect(notes).toHaveLength(4);
  expect(await agent.git('status', '--porcelain', '--branch')).toBe('## switchyard/fix-it');
});

test('a branch that was put elsewhere is kept aside, and its files still count', async () => {
  await using at = await fixture();
  await at.repository.commit({ 'a.txt': 'two\n' });
  const head = await at.store.fetchCommit('main');
  const { workspace } = await at.open({ head });
  const agent = agentIn(workspace.folder);
  await agent.git('reset', '--quiet', '--hard', 'HEAD^');
  const rewritten = await agent.commit({ 'b.txt': 'b\n' }, 'Instead');
  const collected = await workspace.collect(TEXT);
  expect(collected.notes.join(' ')).toContain("no longer stands on the run's commits");
  expect(await readCommits(at.store.path, [collected.head, `^${head}`])).toHaveLength(1);
  expect(await filesAt(at.store.path, collected.head)).toEqual(['a.txt', 'b.txt']);
  expect(await plainGit(at.store.path, 'show', `${collected.head}:a.txt`)).toBe('a');
  expect(await at.store.resolve('refs/switchyard/salvage/r1/switchyard/fix-it')).toBe(rewritten);
});

test('a name that is taken by another salvaged commit gets a second one', async () => {
  await using at = await fixture();
  const { workspace } = await at.open();
  const agent = agentIn(workspace.folder);
  for (const name of ['idea', 'idea/deep']) {
    await agent.git('switch', '--quiet', '-c', name);
    await agent.commit({ [`${name}.txt`]: name }, name);
    await agent.git('switch', '--quiet', 'switchyard/fix-it');
    await workspace.collect(TEXT);
  }
  expect(await at.store.list('refs/switchyard/salvage/r1/')).toHaveLength(2);
});

test.each<[string, (git: string) => Promise<void>]>([
  ['deleted', (git) => rm(git, { recursive: true })],
  ['a file', (git) => rm(git, { recursive: true }).then(() => writeFile(git, 'gitdir: /elsewhere\n'))],
  ['without objects', (git) => rm(join(git, 'objects'), { recursive: true })],
  ['garbage', (git) => writeFile(join(git, 'HEAD'), 'garbage')],
  ['a link to another repository', (git) => rm(git, { recursive: true }).then(() => symlink('/tmp', git))],
])("with the agent's git directory %s, the files are still collected and git works again", async (_, ruin) => {
  await using at = await fixture();
  const { workspace } = await at.open();
  const agent = agentIn(workspace.folder);
  await agent.write({ 'b.txt': 'b\n' });
  await ruin(join(workspace.folder, '.git'));
  const { head, notes } = await workspace.collect(TEXT);
  expect(notes.join(' ')).toContain('made anew');
  expect(await filesAt(at.store.path, head)).toEqual(['a.txt', 'b.txt']);
  expect(await agent.git('status', '--porcelain', '--branch')).toBe('## switchyard/fix-it');
});

test('what an agent has committed although it is ignored stays, in one commit of all as well, and what it only left does not come in', async () => {
  await using at = await fixture({ 'a.txt': 'a\n', '.gitignore': '*.log\n' });
  const { workspace } = await at.open();
  const agent = agentIn(workspace.folder);
  await agent.write({ 'my.log': 'mine\n', 'deep/other.log': 'other\n', 'left.log': 'left\n' });
  await workspace.collect(TEXT);
  await agent.git('add', '--force', 'my.log', 'deep/other.log');
  await agent.git('commit', '--quiet', '-m', 'Logs');
  const first = await workspace.collect(TEXT);
  const all = ['.gitignore', 'a.txt', 'deep/other.log', 'my.log'];
  expect(await filesAt(at.store.path, first.head)).toEqual(all);
  expect(await plainGit(at.store.path, 'rev-list', '--count', `${at.base}..${first.head}`)).toBe('1');

  await agent.git('switch', '--quiet', '--create', 'side', 'HEAD~1');
  await agent.write({ 'side.log': 'side\n', 'side.txt': 'side\n' });
  await agent.git('add', '--force', 'side.log', 'side.txt');
  await agent.git('commit', '--quiet', '-m', 'Side');
  await agent.git('switch', '--quiet', 'switchyard/fix-it');
  await agent.git('merge', '--quiet', '--no-edit', 'side');
  const second = await workspace.collect(TEXT);
  expect(await filesAt(at.store.path, second.head)).toEqual([...all, 'side.log', 'side.txt']);
  expect(await workspace.restore()).toEqual([]);
});

test('a file that was committed although it is ignored, and cannot be read any more, keeps nothing else out', async () => {
  await using at = await fixture({ 'a.txt': 'a\n', '.gitignore': '*.log\n' });
  const { workspace } = await at.open();
  const agent = agentIn(workspace.folder);
  await agent.write({ 'deep/one.log': 'one\n', 'gone.log': 'gone\n', 'two.log': 'two\n' });
  await agent.git('add', '--force', '.');
  await agent.git('commit', '--quiet', '-m', 'Logs');
  await rm(join(workspace.folder, 'gone.log'));
  await rm(join(workspace.folder, 'deep'), { recursive: true });
  await agent.write({ deep: { link: '.' }, 'b.txt': 'b\n' });
  const { head } = await workspace.collect(TEXT);
  expect(await filesAt(at.store.path, head)).toEqual(['.gitignore', 'a.txt', 'b.txt', 'deep', 'two.log']);
});

test('names with spaces, quotes, line ends, other alphabets and bytes that are no text all survive, with modes and links', async () => {
  await using at = await fixture();
  const { workspace } = await at.open();
  const agent = agentIn(workspace.folder);
  const names = [
    'with space',
    'quo"te',
    "apo'strophe",
    'new\nline',
    'ünï',
    '-dash',
    '--all',
    ' lead',
    'back\\slash',
    '$(x)',
    '*',
    ':(glob)x',
  ];
  await agent.write(Object.fromEntries(names.map((name) => [name, name])));
  await agent.write({ run: { executable: '#!/bin/sh\n' }, link: { link: '/etc/passwd' } });
  const bytes = Buffer.concat([Buffer.from(`${workspace.folder}/by`), Buffer.from([0xff, 0xfe])]);
  await writeFile(bytes, 'bytes');
  await chmod(join(workspace.folder, 'a.txt'), 0o755);
  expect(await workspace.changedSince(at.base)).toEqual(expect.arrayContaining([...names, 'run', 'link', 'a.txt']));
  const { head } = await workspace.collect(TEXT);
  expect(await filesAt(at.store.path, head)).toEqual(expect.arrayContaining(names));
  const listing = await plainGit(at.store.path, 'ls-tree', head, 'a.txt', 'link', 'run');
  expect(listing.split('\n').map((line) => line.slice(0, 6))).toEqual(['100755', '120000', '100755']);
  expect(await plainGit(at.store.path, 'show', `${head}:link`)).toBe('/etc/passwd');
  expect(await plainGit(at.store.path, '-c', 'core.quotePath=true', 'ls-tree', '--name-only', head)).toContain(
    'by\\377\\376',
  );
});

test('many files, a nested repository with many more, then a few: the store has all of them', async () => {
  await using at = await fixture();
  const { workspace } = await at.open();
  const agent = agentIn(workspace.folder);
  const many = (folder: string) =>
    Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`${folder}/${n}.txt`, `${folder} ${n}\n`]));
  await agent.write({ ...many('src'), ...many('nested') });
  await plainGit(join(workspace.folder, 'nested'), 'init', '--quiet');
  await workspace.changedSince(at.base);
  await workspace.collect(TEXT);
  await agent.write({ 'src/0.txt': 'another\n', 'nested/0.txt': 'another nested\n' });
  const { head } = await workspace.collect(TEXT);
  expect(await filesAt(at.store.path, head)).toHaveLength(41);
  expect(await plainGit(at.store.path, 'cat-file', 'blob', `${head}:src/0.txt`)).toBe('another');
  expect(await plainGit(at.store.path, 'fsck', '--strict', '--no-dangling')).toBe('');
});

test('nested repositories are left out and named, and their files are kept below a salvage ref', async () => {
  await using at = await fixture();
  const { workspace } = await at.open();
  const agent = agentIn(workspace.folder);
  for (const name of ['with commit', 'new\nborn']) {
    await agent.write({ [`${name}/in.txt`]: name, 'b.txt': 'b\n' });
    await plainGit(join(workspace.folder, name), 'init', '--quiet');
  }
  await agentIn(join(workspace.folder, 'with commit')).git('add', '-A');
  await agentIn(join(workspace.folder, 'with commit')).git(
    '-c',
    'user.name=x',
    '-c',
    'user.email=x@y',
    'commit',
    '--quiet',
    '-m',
    'x',
  );
  const { head, notes } = await workspace.collect(TEXT);
  expect(await filesAt(at.store.path, head)).toEqual(['a.txt', 'b.txt']);
  expect(notes).toContain('with commit is a repository of its own: it was left out.');
  expect(notes).toContain('new\nborn is a repository of its own: it was left out.');
  expect(await filesAt(at.store.path, 'refs/switchyard/salvage/r1/nested')).toEqual([
    'new\nborn/in.txt',
    'with commit/in.txt',
  ]);
  expect(await workspace.collect(TEXT)).toMatchObject({ changed: false, head });
  expect(await at.store.list('refs/switchyard/salvage/r1/')).toHaveLength(1);
});

test('of a nested repository nothing is kept that it or the checkout ignores', async () => {
  await using at = await fixture();
  const { workspace } = await at.open();
  await agentIn(workspace.folder).write({
    '.gitignore': '*.key\n',
    'inner/.gitignore': 'built/\n',
    'inner/a.key': 'secret\n',
    'inner/built/x.js': 'x\n',
    'inner/kept.txt': 'kept\n',
  });
  await plainGit(join(workspace.folder, 'inner'), 'init', '--quiet');
  await workspace.collect(TEXT);
  expect(await filesAt(at.store.path, 'refs/switchyard/salvage/r1/nested')).toEqual([
    'inner/.gitignore',
    'inner/kept.txt',
  ]);
});

test('gitlinks in commits of the agent are taken out of them', async () => {
  await using at = await fixture();
  const { workspace } = await at.open();
  const agent = agentIn(workspace.folder);
  await agent.write({ 'sub/in.txt': 'x' });
  await plainGit(join(workspace.folder, 'sub'), 'init', '--quiet');
  await plainGit(join(workspace.folder, 'sub'), 'add', '-A');
  await plainGit(
    join(workspace.folder, 'sub'),
    '-c',
    'user.name=x',
    '-c',
    'user.email=x@y',
    'commit',
    '--quiet',
    '-m',
    'x',
  );
  await agent.commit({ 'b.txt': 'b\n' }, 'With a gitlink');
  const { head, notes } = await workspace.collect(TEXT);
  expect(notes).toContain('sub is a repository of its own: it was left out.');
  expect(await readCommits(at.store.path, [head, `^${at.base}`])).toHaveLength(1);
  expect(await filesAt(at.store.path, head)).toEqual(['a.txt', 'b.txt']);
});

test("nothing of the agent's configuration is honoured, and all git over its files runs in the sandbox", async () => {
  await using at = await fixture({ 'a.txt': 'a\n', '.gitattributes': '*.txt filter=evil diff=evil merge=evil\n' });
  const { workspace } = await at.open();
  const fire = `touch '${at.canary}'`;
  await writeFile(
    join(workspace.folder, '.git/config'),
    `[core]\n\trepositoryformatversion = 1\n\tfsmonitor = "${fire}; false"\n\thooksPath = ${workspace.folder}/hooks\n\tsshCommand = "${fire}"\n` +
      `[filter "evil"]\n\tclean = "${fire}; cat"\n\tsmudge = "${fire}; cat"\n\tprocess = "${fire}"\n\trequired = true\n[diff "evil"]\n\tcommand = "${fire}"\n\ttextconv = "${fire}; cat"\n` +
      `[diff]\n\texternal = "${fire}"\n[uploadpack]\n\tpackObjectsHook = "${fire}; exec"\n[core]\n\talternateRefsCommand = "${fire}"\n` +
      `[remote "evil"]\n\turl = ${workspace.folder}\n\tpromisor = true\n\tuploadpack = "${fire}; false"\n[protocol]\n\tallow = always\n[extensions]\n\tpartialClone = evil\n`,
  );
  const agent = agentIn(workspace.folder);
  const hook = { executable: `#!/bin/sh\n${fire}\n` };
  await agent.write({
    'hooks/post-index-change': hook,
    'hooks/reference-transaction': hook,
    'b.txt': 'b\n',
    'sub/in.txt': 'x',
  });
  await writeFile(join(workspace.folder, '.git/refs/other'), `${'1'.repeat(40)}\n`);
  const before = at.sandbox.started.length;
  await workspace.changedSince(at.base);
  await workspace.checkpoint();
  await workspace.collect(TEXT);
  await workspace.restore();
  expect(await exists(at.canary)).toBe(false);
  expect(at.sandbox.started.length).toBeGreaterThan(before);
  for (const { env } of at.sandbox.started) {
    expect(env).toMatchObject({ GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' });
    expect(Object.values(env)).toContain('core.hooksPath');
  }
});

test("a nested repository's file system monitor runs nowhere but in the sandbox", async () => {
  await using at = await fixture();
  const { workspace } = await at.open();
  await agentIn(workspace.folder).write({ 'sub/in.txt': 'x' });
  const sub = join(workspace.folder, 'sub');
  await plainGit(sub, 'init', '--quiet');
  await plainGit(sub, 'add', '-A');
  await plainGit(sub, '-c', 'user.name=x', '-c', 'user.email=x@y', 'commit', '--quiet', '-m', 'x');
  // Tells where it ran: the sandbox's scripts have INDEX_TREE in their environment, git outside has not.
  await plainGit(sub, 'config', 'core.fsmonitor', `env >> '${at.canary}'; echo END >> '${at.canary}'; false`);
  await workspace.checkpoint();
  await workspace.collect(TEXT);
  await workspace.restore();
  const runs = (await readFile(at.canary, 'utf8').catch(() => '')).split('END\n').filter((run) => run !== '');
  for (const run of runs) expect(run).toContain('INDEX_TREE=');
});

test('malformed commits are kept aside, never taken', async () => {
  await using at = await fixture();
  const { workspace } = await at.open();
  const agent = agentIn(workspace.folder);
  const blob = await agent.git('rev-parse', 'HEAD:a.txt');
  const bad = Buffer.concat([Buffer.from('100644 .git\0'), Buffer.from(blob, 'hex')]);
  await writeFile(join(workspace.folder, 'bad'), bad);
  const tree = await agent.git('hash-object', '-t', 'tree', '--literally', '-w', 'bad');
  const commit = await agent.git('commit-tree', tree, '-p', at.base, '-m', 'Bad');
  await agent.git('update-ref', 'refs/heads/switchyard/fix-it', commit);
  const { head, notes } = await workspace.collect(TEXT);
  expect(notes.join(' ')).toContain('malformed');
  expect(await filesAt(at.store.path, head)).toEqual(['a.txt', 'bad']);
  expect(await at.store.resolve('refs/switchyard/salvage/r1/switchyard/fix-it')).toBe(commit);
});

test('a history that the agent cut off is not taken', async () => {
  await using at = await fixture();
  const { workspace } = await at.open();
  const agent = agentIn(workspace.folder);
  const first = await agent.commit({ 'b.txt': 'b\n' }, 'First');
  await agent.commit({ 'c.txt': 'c\n' }, 'Second');
  await writeFile(join(workspace.folder, '.git/shallow'), `${first}\n`);
  await rm(join(workspace.folder, '.git/objects', first.slice(0, 2), first.slice(2)));
  const { head } = await workspace.collect(TEXT);
  await plainGit(at.store.path, 'fsck', '--connectivity-only', head);
  expect(await filesAt(at.store.path, head)).toEqual(['a.txt', 'b.txt', 'c.txt']);
});

test('ignored files stay out of commits and stay where they are', async () => {
  await using at = await fixture({ '.gitignore': '*.log\n' });
  const { workspace } = await at.open();
  await agentIn(workspace.folder).write({ 'x.log': 'noise' });
  expect(await workspace.collect(TEXT)).toMatchObject({ changed: false });
  expect(await exists(join(workspace.folder, 'x.log'))).toBe(true);
});

test.each(['checkpoint.before', 'checkpoint.after'])('a death at %s while collecting loses nothing', async (point) => {
  await using at = await fixture();
  const { workspace } = await at.open({}, dyingAt(point));
  const agent = agentIn(workspace.folder);
  await agent.commit({ 'b.txt': 'b\n' }, 'Mine');
  await agent.write({ 'c.txt': 'c\n' });
  await expect(workspace.collect(TEXT)).rejects.toThrow('killed');
  const { workspace: again } = await at.open({ reuse: true, attempt: 2 });
  const { head } = await again.collect(TEXT);
  expect(await filesAt(at.store.path, head)).toEqual(['a.txt', 'b.txt', 'c.txt']);
  expect(await readCommits(at.store.path, [head, `^${at.base}`])).toHaveLength(2);
});

test("another attempt's head that is overtaken is kept", async () => {
  await using at = await fixture();
  const { workspace } = await at.open();
  const other = await at.repository.commit({ 'z.txt': 'z\n' });
  await at.store.fetchCommit(other);
  await at.store.keep('refs/switchyard/runs/r1/head', other);
  await agentIn(workspace.folder).write({ 'b.txt': 'b\n' });
  const { head } = await workspace.collect(TEXT);
  expect(await at.store.resolve('refs/switchyard/runs/r1/head')).toBe(head);
  expect(await at.store.list('refs/switchyard/salvage/r1/')).toEqual([expect.objectContaining({ commit: other })]);
});
