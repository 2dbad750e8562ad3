import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { plainGit } from '../testing/temp-repository.ts';
import { agentIn, type Fixture, fixture, TEXT } from './fixture.ts';

/** Tags on as many commits that nothing else names. */
async function tags(folder: string, count: number): Promise<string[]> {
  const agent = agentIn(folder);
  const tree = await agent.git('rev-parse', 'HEAD^{tree}');
  const names = Array.from({ length: count }, (_, n) => `loose-${n}`);
  const commits: string[] = [];
  for (const name of names) commits.push(await agent.git('commit-tree', '-m', name, tree));
  for (const [n, name] of names.entries()) await agent.git('tag', name, commits[n] ?? '');
  return commits;
}

const salvaged = (at: Fixture) => at.store.list('refs/switchyard/salvage/r1/');

test('every commit that only a ref names is kept under the name of that ref, and said once', async () => {
  await using at = await fixture();
  const { workspace } = await at.open();
  const commits = await tags(workspace.folder, 5);
  const { notes } = await workspace.collect(TEXT);
  expect(notes.length).toBe(5);
  expect((await salvaged(at)).map(({ commit }) => commit).sort()).toEqual(commits.sort());
  expect((await salvaged(at)).map(({ ref }) => ref)).toContain('refs/switchyard/salvage/r1/tags/loose-3');
});

test('what is part of the history of the branch is not kept again, however many refs name it', async () => {
  await using at = await fixture();
  const { workspace } = await at.open();
  const agent = agentIn(workspace.folder);
  for (let n = 0; n < 6; n++) {
    await agent.commit({ 'a.txt': `${n}\n` }, `Change ${n}`);
    await agent.git('tag', `at-${n}`);
  }
  expect((await workspace.collect(TEXT)).notes).toEqual([]);
  expect(await salvaged(at)).toEqual([]);
});

test('very many are kept by one commit, the same one as long as they are the same', async () => {
  await using at = await fixture();
  const { workspace } = await at.open();
  const agent = agentIn(workspace.folder);
  const [commit = ''] = await tags(workspace.folder, 1);
  const tree = await agent.git('rev-parse', 'HEAD^{tree}');
  const lines = ['# pack-refs with: peeled fully-peeled sorted '];
  const head = await agent.git('rev-parse', 'HEAD');
  const base = await agent.git('rev-parse', 'refs/switchyard/base');
  lines.push(`${head} refs/heads/switchyard/fix-it`, `${base} refs/switchyard/base`);
  const script = `i=0; while [ $i -lt 250 ]; do echo "$(git commit-tree -m $i ${tree}) refs/tags/n$i"; i=$((i+1)); done`;
  const made = execFileSync('/bin/sh', ['-c', script], {
    cwd: workspace.folder,
    env: {
      ...process.env,
      GIT_AUTHOR_NAME: 'x',
      GIT_AUTHOR_EMAIL: 'x',
      GIT_COMMITTER_NAME: 'x',
      GIT_COMMITTER_EMAIL: 'x',
    },
  }).toString();
  await agent.write({ '.git/packed-refs': `${[...lines, ...made.trim().split('\n')].join('\n')}\n` });
  const { notes } = await workspace.collect(TEXT);
  expect(notes).toEqual([expect.stringMatching(/^251 commits of refs in the workspace .*\/many-refs\.$/)]);
  const [keeper] = await salvaged(at);
  const parents = (await plainGit(at.store.path, 'log', '-1', '--format=%P', keeper?.commit ?? '')).split(' ');
  expect(parents.length).toBe(251);
  expect(parents).toContain(commit);
});

test('names that would be in the way of each other are given others', async () => {
  await using at = await fixture();
  const { workspace } = await at.open();
  const agent = agentIn(workspace.folder);
  const tree = await agent.git('rev-parse', 'HEAD^{tree}');
  for (const ref of ['refs/tags/x', 'refs/heads/tags/x', 'refs/heads/tags/x1'])
    await agent.git('update-ref', ref, await agent.git('commit-tree', '-m', ref, tree));
  expect((await workspace.collect(TEXT)).notes.length).toBe(3);
  expect((await salvaged(at)).length).toBe(3);
});
