import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { plainGit, type TempRepository, tempRepository } from '../../src/testing/temp-repository.ts';
import { Installation } from '../support/installation.ts';

/** Merging into the person's repository: exactly what was checked, and never over anything of theirs. */

const GROWER = 'echo more >> base.txt';
const DRAFTER = 'echo "draft, by an agent" > draft.txt; echo made > made.txt';
const WRITER = 'if [ -f base.txt ]; then sed -i "s/base/agent/" base.txt; fi; echo made > made.txt';
let installation: Installation;

beforeAll(async () => {
  installation = await Installation.create({
    config: `agents:\n  writer: { kind: custom, command: [sh, -c, ${JSON.stringify(WRITER)}] }\n  grower: { kind: custom, command: [sh, -c, ${JSON.stringify(GROWER)}] }\n  drafter: { kind: custom, command: [sh, -c, ${JSON.stringify(DRAFTER)}] }\ndefaults: { agent: writer }\n`,
  });
});
afterAll(async () => {
  await installation[Symbol.asyncDispose]();
});

const files = {
  'base.txt': 'base\n',
  'other.txt': 'other\n',
  '.switchyard/config.yaml': 'checks:\n  present: { run: "test -f made.txt", kind: test }\nsetup: none\n',
};

async function delivered(repository: TempRepository, ...more: string[]): Promise<string> {
  const result = await installation.cli(['run', 'Change the base', '--json', ...more], { cwd: repository.path });
  expect(result.code).toBe(0);
  return (JSON.parse(result.stdout.split('\n')[0] ?? '{}') as { run: string }).run;
}

const merge = (run: string, ...more: string[]) => installation.cli(['merge', run, ...more]);

test('a delivered head is merged: branch, index and files move together', async () => {
  await using repository = await tempRepository(files);
  const run = await delivered(repository);
  expect((await merge(run)).code).toBe(0);
  expect(await readFile(join(repository.path, 'base.txt'), 'utf8')).toBe('agent\n');
  expect(await repository.git('status', '--porcelain')).toBe('');
  const shown = await installation.show(run);
  expect(await repository.git('rev-parse', 'main')).toBe(shown.merged?.commit);
  expect(await repository.git('log', '-1', '--format=%cn')).toBe('Switchyard');
});

test('what was merged need not be fetched by the runs that begin there', async () => {
  await using repository = await tempRepository(files);
  const run = await delivered(repository);
  await merge(run);
  const commit = await repository.git('rev-parse', 'main');
  const { stdout } = await installation.cli(['repo', 'ls', '--json']);
  const { id } = (JSON.parse(stdout) as { id: string; path: string }[]).find(
    ({ path }) => path === repository.path,
  ) ?? { id: '' };
  const store = join(installation.home.folder, 'repos', `${id}.git`);
  expect(await plainGit(store, 'rev-parse', `refs/switchyard/fetched/${commit}`)).toBe(commit);
});

test('merging again says that it is merged', async () => {
  await using repository = await tempRepository(files);
  const run = await delivered(repository);
  await merge(run);
  const again = await merge(run);
  expect(again.code).toBe(0);
  expect(again.stdout.toLowerCase()).toContain('already');
});

test('a dirty file that the merge does not touch survives as it is', async () => {
  await using repository = await tempRepository(files);
  const run = await delivered(repository);
  await writeFile(join(repository.path, 'other.txt'), 'mine, not committed\n');
  await writeFile(join(repository.path, 'untracked.txt'), 'mine\n');
  expect((await merge(run)).code).toBe(0);
  expect(await readFile(join(repository.path, 'other.txt'), 'utf8')).toBe('mine, not committed\n');
  expect(await repository.git('status', '--porcelain')).toBe(' M other.txt\n?? untracked.txt');
});

test('a dirty file in the way parks the merge, names the file and moves nothing; once it is out of the way a retry merges', async () => {
  await using repository = await tempRepository(files);
  const run = await delivered(repository);
  const before = await repository.git('rev-parse', 'main');
  await writeFile(join(repository.path, 'base.txt'), 'mine\n');
  expect((await merge(run)).code).toBe(3);
  expect((await installation.show(run)).state).toMatchObject({
    kind: 'parked',
    reason: { code: 'merge/checkout-dirty' },
    needs: { kind: 'checkout', files: ['base.txt'] },
  });
  expect(await repository.git('rev-parse', 'main')).toBe(before);
  expect(await readFile(join(repository.path, 'base.txt'), 'utf8')).toBe('mine\n');
  await repository.git('checkout', '--', 'base.txt');
  expect((await merge(run)).code).toBe(0);
});

test('a merge that was left does not count for what the run has done since', async () => {
  await using repository = await tempRepository({ ...files, 'made.txt': 'made\n' });
  const run = await delivered(repository, '--agent', 'grower');
  const first = await installation.show(run);
  await writeFile(join(repository.path, 'base.txt'), 'mine\n');
  expect((await merge(run)).code).toBe(3);
  await repository.git('checkout', '--', 'base.txt');
  expect((await installation.cli(['send', run, 'Once more.'])).code).toBe(0);
  await expect.poll(async () => (await installation.show(run)).state.kind, { timeout: 30_000 }).toBe('succeeded');
  const second = await installation.show(run);
  expect(second.head).not.toBe(first.head);
  await repository.git('merge', '--quiet', '--ff-only', first.head);
  expect((await merge(run)).code).toBe(0);
  expect((await installation.show(run)).merged?.commit).toBe(second.head);
  expect(await repository.git('rev-parse', 'main', second.branch ?? '')).toBe(`${second.head}\n${second.head}`);
  expect(await readFile(join(repository.path, 'base.txt'), 'utf8')).toBe('base\nmore\nmore\n');
});

test('a target that has moved is followed: rebased, checked again, merged', async () => {
  await using repository = await tempRepository(files);
  const run = await delivered(repository);
  await repository.commit({ 'elsewhere.txt': 'theirs\n' }, 'Move on');
  expect((await merge(run)).code).toBe(0);
  const shown = await installation.show(run);
  expect(shown.merged?.commit).toBe(await repository.git('rev-parse', 'main'));
  expect(await repository.git('log', '--format=%s', 'main')).toBe('Change the base\nMove on\nFirst');
  const events = await installation.cli(['logs', run, '--json']);
  const last = events.stdout
    .split('\n')
    .filter((line) => line.includes('"check.ended"'))
    .map((line) => JSON.parse(line) as { commit: string; verdict: string });
  expect(last.at(-1)).toMatchObject({ commit: shown.merged?.commit, verdict: 'pass' });
});

test('a head that a person changed after its checks is checked again before it is merged', async () => {
  await using repository = await tempRepository(files);
  const run = await delivered(repository);
  await installation.cli(['open', run, '--', 'sh', '-c', 'echo more > more.txt']);
  expect((await merge(run)).code).toBe(0);
  const { merged } = await installation.show(run);
  expect(await repository.git('show', 'main:more.txt')).toBe('more');
  expect(await verdictsOn(run, merged?.commit)).toEqual(['pass']);
});

test('a head that a person changed, and that is red now, is not merged', async () => {
  await using repository = await tempRepository(files);
  const run = await delivered(repository);
  await installation.cli(['open', run, '--', 'rm', 'made.txt']);
  expect((await merge(run)).code).toBe(3);
  const { state, head } = await installation.show(run);
  expect(state).toMatchObject({ kind: 'parked', reason: { code: 'merge/red-checks' } });
  expect(await verdictsOn(run, head)).toEqual(['fail']);
  expect(await repository.git('log', '--format=%s', 'main')).toBe('First');
});

async function verdictsOn(run: string, commit: string | undefined): Promise<string[]> {
  const { stdout } = await installation.cli(['logs', run, '--json']);
  return stdout
    .split('\n')
    .filter((line) => line.includes('"check.ended"'))
    .map((line) => JSON.parse(line) as { commit: string; verdict: string })
    .filter((check) => check.commit === commit)
    .map(({ verdict }) => verdict);
}

test('a target that has changed the same lines parks the merge and names the files', async () => {
  await using repository = await tempRepository(files);
  const run = await delivered(repository);
  await repository.commit({ 'base.txt': 'theirs\n' }, 'The same line');
  expect((await merge(run)).code).toBe(3);
  expect((await installation.show(run)).state).toMatchObject({
    kind: 'parked',
    reason: { code: 'merge/conflict' },
    needs: { kind: 'conflict', files: ['base.txt'] },
  });
});

test('a conflict says how to merge by hand, and what was merged by hand is found', async () => {
  await using repository = await tempRepository(files);
  const run = await delivered(repository);
  await repository.commit({ 'base.txt': 'theirs\n' }, 'The same line');
  const parked = await merge(run);
  const { branch, state } = await installation.show(run);
  expect(state.kind === 'parked' ? state.reason.message : '').toContain(`git merge ${branch ?? ''}`);
  expect(parked.stdout).toContain('switchyard merge');
  await repository.git('merge', '--quiet', '--strategy-option=ours', '--no-edit', branch ?? '');
  const found = await merge(run);
  expect(found.code).toBe(0);
  expect(found.stdout).toContain('merged it by hand');
  expect((await installation.show(run)).state).toMatchObject({ kind: 'succeeded' });
});

test('two commands that merge the same run at once both end well, and one merge is made', async () => {
  await using repository = await tempRepository(files);
  const run = await delivered(repository);
  const results = await Promise.all([merge(run), merge(run), merge(run)]);
  expect(results.map(({ code }) => code)).toEqual([0, 0, 0]);
  const { stdout } = await installation.cli(['logs', run, '--json']);
  expect(stdout.split('\n').filter((line) => line.includes('"run.merged"'))).toHaveLength(1);
});

test('a run from a detached head has no target, and merges where it is told', async () => {
  await using repository = await tempRepository(files);
  await repository.git('checkout', '--quiet', '--detach');
  const run = await delivered(repository);
  expect((await installation.show(run)).target).toBeNull();
  const refused = await merge(run);
  expect(refused.code).toBe(2);
  expect((await merge(run, '--to', 'main')).code).toBe(0);
});

test('a run that has delivered nothing cannot be merged', async () => {
  await using repository = await tempRepository(files);
  const result = await installation.cli(['run', 'Change', '--json', '--limit', 'wall=1s', '--detach'], {
    cwd: repository.path,
  });
  const { run } = JSON.parse(result.stdout) as { run: string };
  await installation.client.call('cancelRun', { actor: 'test' }, { run });
  await installation.settled(run);
  const refused = await installation.cli(['merge', run, '--json']);
  expect([0, 1]).toContain(refused.code);
  if ((await installation.show(run)).branch === null) expect(refused.stderr).toContain('merge/not-delivered');
});

test('uncommitted files are left out and said, or included when asked', async () => {
  await using repository = await tempRepository(files);
  await writeFile(join(repository.path, 'draft.txt'), 'draft\n');
  const without = await installation.cli(['run', 'Change the base'], { cwd: repository.path });
  expect(without.stdout + without.stderr).toContain('draft.txt');
  const run = await delivered(repository, '--include-dirty');
  const { branch } = await installation.show(run);
  expect(await repository.git('show', `${branch ?? ''}:draft.txt`)).toBe('draft');
  expect(await repository.git('status', '--porcelain')).toBe('?? draft.txt');
});

test('what was included and then changed by the run is no conflict, and diff says what it leaves out', async () => {
  await using repository = await tempRepository(files);
  await writeFile(join(repository.path, 'base.txt'), 'base, not committed\n');
  await writeFile(join(repository.path, 'made.txt'), 'a draft\n');
  const run = await delivered(repository, '--include-dirty');
  const diff = await installation.cli(['diff', run]);
  expect(diff.stdout).toContain('+agent, not committed');
  expect(diff.stdout).not.toContain('-base\n');
  expect(diff.stderr).toContain('your own uncommitted changes in 2 files (base.txt, made.txt)');
  expect((await merge(run)).code).toBe(0);
  expect(await readFile(join(repository.path, 'base.txt'), 'utf8')).toBe('agent, not committed\n');
  expect(await repository.git('status', '--porcelain')).toBe('');
});

test('what was included and then changed by the person is in the way', async () => {
  await using repository = await tempRepository(files);
  await writeFile(join(repository.path, 'base.txt'), 'base, not committed\n');
  const run = await delivered(repository, '--include-dirty');
  await writeFile(join(repository.path, 'base.txt'), 'base, changed again\n');
  expect((await merge(run)).code).toBe(3);
  expect(await readFile(join(repository.path, 'base.txt'), 'utf8')).toBe('base, changed again\n');
});

test('two runs that took the same uncommitted changes along are merged one after the other', async () => {
  await using repository = await tempRepository({ ...files, 'draft.txt': 'a\n' });
  await writeFile(join(repository.path, 'draft.txt'), 'draft\n');
  const drafter = await delivered(repository, '--include-dirty', '--agent', 'drafter');
  const writer = await delivered(repository, '--include-dirty', '--agent', 'writer');
  expect((await merge(drafter)).code).toBe(0);
  expect((await merge(writer)).code).toBe(0);
  expect(await repository.git('show', 'main:draft.txt')).toBe('draft, by an agent');
  expect(await repository.git('show', 'main:base.txt')).toBe('agent');
});

test('a branch that the person has deleted or renamed is made anew by the next delivery, which says so', async () => {
  await using repository = await tempRepository({ ...files, 'made.txt': 'made\n' });
  const run = await delivered(repository, '--agent', 'grower');
  const { branch, head } = await installation.show(run);
  await repository.git('branch', '--quiet', '-m', branch ?? '', 'mine');
  expect((await installation.cli(['send', run, 'Once more.'])).code).toBe(0);
  await expect.poll(async () => (await installation.show(run)).state.kind, { timeout: 30_000 }).toBe('succeeded');
  const again = await installation.show(run);
  expect(again.head).not.toBe(head);
  expect(await repository.git('rev-parse', 'mine', branch ?? '')).toBe(`${head}\n${again.head}`);
  expect((await installation.cli(['logs', run])).stdout).toContain(`${branch ?? ''} was no longer in the repository`);
  expect((await merge(run)).code).toBe(0);
});

test('a branch that the person has added to is left alone, and it is said what helps; out of the way, a retry delivers', async () => {
  await using repository = await tempRepository({ ...files, 'made.txt': 'made\n' });
  const run = await delivered(repository, '--agent', 'grower');
  const { branch } = await installation.show(run);
  await repository.git('switch', '--quiet', branch ?? '');
  const theirs = await repository.commit({ 'theirs.txt': 'theirs\n' }, 'Theirs');
  await repository.git('switch', '--quiet', 'main');
  expect((await installation.cli(['send', run, 'Once more.'])).code).toBe(0);
  await expect.poll(async () => (await installation.show(run)).state.kind, { timeout: 30_000 }).toBe('parked');
  const { state } = await installation.show(run);
  expect(state).toMatchObject({ kind: 'parked', reason: { code: 'deliver/branch-moved' } });
  expect(state.kind === 'parked' ? state.reason.message : '').toMatch(/switchyard checkout \S+ --branch NAME/);
  expect(await repository.git('rev-parse', branch ?? '')).toBe(theirs);
  const refused = await merge(run);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('switchyard retry');
  await repository.git('branch', '--quiet', '-m', branch ?? '', 'mine');
  await installation.cli(['retry', run]);
  await expect.poll(async () => (await installation.show(run)).state.kind, { timeout: 30_000 }).toBe('succeeded');
  const { head } = await installation.show(run);
  expect(await repository.git('rev-parse', branch ?? '', 'mine')).toBe(`${head}\n${theirs}`);
});

test('a merge of theirs that is not finished is not called a file in the way', async () => {
  await using repository = await tempRepository(files);
  const run = await delivered(repository);
  await repository.git('switch', '--quiet', '-c', 'side');
  await repository.commit({ 'other.txt': 'side\n' });
  await repository.git('switch', '--quiet', 'main');
  await repository.git('merge', '--quiet', '--no-ff', '--no-commit', 'side');
  const parked = await merge(run);
  expect(parked.code).toBe(3);
  expect(parked.stdout + parked.stderr).toContain('git merge --abort');
  expect(parked.stdout + parked.stderr).not.toContain('Commit or move');
  await repository.git('merge', '--abort');
  expect((await merge(run)).code).toBe(0);
});

test('hooks of the person do not run, and their configuration stays as it is', async () => {
  await using repository = await tempRepository(files);
  const fired = join(installation.folder, 'hook-fired');
  for (const hook of [
    'pre-commit',
    'post-checkout',
    'post-merge',
    'reference-transaction',
    'post-index-change',
    'update',
    'pre-receive',
    'post-receive',
  ]) {
    const path = join(repository.path, '.git', 'hooks', hook);
    await writeFile(path, `#!/bin/sh\necho ${hook} >> ${fired}\n`, { mode: 0o755 });
  }
  const config = await readFile(join(repository.path, '.git', 'config'), 'utf8');
  const run = await delivered(repository);
  expect((await merge(run)).code).toBe(0);
  await expect(readFile(fired, 'utf8')).rejects.toThrow();
  expect(await readFile(join(repository.path, '.git', 'config'), 'utf8')).toBe(config);
});

test('a discarded run leaves the repository and comes back whole', async () => {
  await using repository = await tempRepository(files);
  const run = await delivered(repository);
  const { branch, head } = await installation.show(run);
  expect((await installation.cli(['discard', run, '--yes'])).code).toBe(0);
  await expect.poll(() => repository.git('branch', '--list', branch ?? ''), { timeout: 10_000 }).toBe('');
  expect((await installation.cli(['restore', run])).code).toBe(0);
  await expect
    .poll(() => repository.git('rev-parse', '--verify', '--quiet', branch ?? '').catch(() => ''), { timeout: 10_000 })
    .toBe(head);
  expect((await installation.show(run)).state.kind).toBe('succeeded');
});
