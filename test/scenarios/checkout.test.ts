import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TempRepository, tempRepository } from '../../src/testing/temp-repository.ts';
import { Installation } from '../support/installation.ts';

/** `checkout RUN`: the run's branch in the person's clone, and nothing else of theirs. */

const WRITER =
  'echo agent > base.txt; echo made > made.txt; mkdir -p deep; echo "*.txt filter=evil" > deep/.gitattributes';
let installation: Installation;

beforeAll(async () => {
  installation = await Installation.create({
    config: `agents:
  writer: { kind: custom, command: [sh, -c, ${JSON.stringify(WRITER)}] }
  broken: { kind: custom, command: [sh, -c, "echo half > half.txt; exit 1"] }
  slow: { kind: custom, command: [sh, -c, "echo x > x.txt; sleep 600"] }
`,
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

async function start(repository: TempRepository, ...more: string[]): Promise<string> {
  const agent = more.includes('--agent') ? [] : ['--agent', 'writer'];
  const result = await installation.cli(['run', 'Change the base', '--detach', '--json', ...agent, ...more], {
    cwd: repository.path,
  });
  expect(result).toMatchObject({ code: 0 });
  return (JSON.parse(result.stdout) as { run: string }).run;
}

async function settled(repository: TempRepository, ...more: string[]): Promise<string> {
  const run = await start(repository, ...more);
  await installation.settled(run);
  return run;
}

const checkout = (repository: TempRepository, run: string, ...more: string[]) =>
  installation.cli(['checkout', run, ...more], { cwd: repository.path });

test('a finished run is checked out: files, index and HEAD, and what is not committed elsewhere stays', async () => {
  await using repository = await tempRepository(files);
  const run = await settled(repository);
  await writeFile(join(repository.path, 'other.txt'), 'mine\n');
  const result = await checkout(repository, run, '--json');
  expect(result).toMatchObject({ code: 0, stderr: '' });
  const { head, slug } = await installation.show(run);
  expect(JSON.parse(result.stdout)).toMatchObject({
    branch: `switchyard/${slug}`,
    commit: head,
    folder: repository.path,
  });
  expect(await repository.git('symbolic-ref', 'HEAD')).toBe(`refs/heads/switchyard/${slug}`);
  expect(await repository.git('rev-parse', 'HEAD')).toBe(head);
  expect(await repository.git('status', '--porcelain')).toBe(' M other.txt');
  expect(await readFile(join(repository.path, 'base.txt'), 'utf8')).toBe('agent\n');
  expect(await checkout(repository, run)).toMatchObject({ code: 0 });
});

test('a file of theirs in the way refuses it, names the file, and nothing has moved', async () => {
  await using repository = await tempRepository(files);
  const run = await settled(repository);
  await writeFile(join(repository.path, 'base.txt'), 'mine\n');
  await writeFile(join(repository.path, 'made.txt'), 'mine, untracked\n');
  const result = await checkout(repository, run, '--json');
  expect(result.code).toBe(1);
  expect(JSON.parse(result.stderr)).toMatchObject({ code: 'checkout/dirty' });
  expect(result.stderr).toContain('base.txt, made.txt');
  expect(await repository.git('symbolic-ref', 'HEAD')).toBe('refs/heads/main');
  expect(await readFile(join(repository.path, 'base.txt'), 'utf8')).toBe('mine\n');
  expect(await readFile(join(repository.path, 'made.txt'), 'utf8')).toBe('mine, untracked\n');
});

test('hooks do not run, and no configuration is written', async () => {
  await using repository = await tempRepository(files);
  const fired = join(installation.folder, 'fired');
  const hooks = join(repository.path, '.git', 'hooks');
  await mkdir(hooks, { recursive: true });
  for (const hook of ['post-checkout', 'post-index-change', 'reference-transaction'])
    await writeFile(join(hooks, hook), `#!/bin/sh\necho ${hook} >> ${fired}\n`, { mode: 0o755 });
  const config = await readFile(join(repository.path, '.git', 'config'), 'utf8');
  const run = await settled(repository);
  expect((await checkout(repository, run)).code).toBe(0);
  const worktree = join(installation.folder, 'no-hooks');
  await repository.git('-c', 'core.hooksPath=/dev/null', 'switch', '--quiet', 'main');
  expect((await checkout(repository, run, '--worktree', worktree)).code).toBe(0);
  await expect(readFile(fired, 'utf8')).rejects.toThrow();
  expect(await readFile(join(repository.path, '.git', 'config'), 'utf8')).toBe(config);
});

test('a worktree of its own leaves the checkout alone, and a second one of the same branch is refused', async () => {
  await using repository = await tempRepository(files);
  const run = await settled(repository);
  await writeFile(join(repository.path, 'base.txt'), 'mine\n');
  const worktree = join(installation.folder, 'a worktree');
  expect((await checkout(repository, run, '--worktree', worktree)).code).toBe(0);
  expect(await readFile(join(worktree, 'made.txt'), 'utf8')).toBe('made\n');
  expect(await repository.git('status', '--porcelain')).toBe(' M base.txt');
  const again = await checkout(repository, run, '--json');
  expect(again.code).toBe(1);
  expect(JSON.parse(again.stderr)).toMatchObject({ code: 'checkout/elsewhere' });
  const taken = await checkout(repository, run, '--branch', 'mine', '--worktree', worktree, '--json');
  expect(JSON.parse(taken.stderr)).toMatchObject({ code: 'checkout/path-taken' });
});

test('a parked run that delivered nothing gets its branch, and keeps it up to date by a further checkout', async () => {
  await using repository = await tempRepository(files);
  const run = await settled(repository, '--agent', 'broken');
  const { state, slug, branch } = await installation.show(run);
  expect(state.kind).toBe('parked');
  expect(branch).toBeNull();
  expect((await checkout(repository, run)).code).toBe(0);
  expect(await readFile(join(repository.path, 'half.txt'), 'utf8')).toBe('half\n');
  expect((await installation.show(run)).branch).toBe(`switchyard/${slug}`);
  const merged = await installation.cli(['merge', run, '--json']);
  expect(merged).toMatchObject({ code: 1 });
  expect(JSON.parse(merged.stderr)).toMatchObject({ code: 'merge/not-delivered' });
  expect((await installation.cli(['discard', run, '--yes'])).code).toBe(0);
  const refused = await checkout(repository, run, '--json');
  expect(JSON.parse(refused.stderr)).toMatchObject({ code: 'checkout/discarded' });
});

test('a running run is checked out as it was after its latest ended step, which is said', async () => {
  await using repository = await tempRepository(files);
  const run = await start(repository, '--agent', 'slow');
  await expect.poll(async () => (await installation.show(run)).state.kind, { timeout: 20_000 }).toBe('running');
  const result = await checkout(repository, run);
  expect(result).toMatchObject({ code: 0 });
  expect(result.stdout).toContain('still at work');
  expect(await repository.git('rev-parse', 'HEAD')).toBe((await installation.show(run)).base.commit);
  await installation.cli(['cancel', run]);
  await installation.settled(run);
});

test('a branch of a name of their own is made once, and never moved', async () => {
  await using repository = await tempRepository(files);
  const run = await settled(repository);
  const { head, slug } = await installation.show(run);
  expect((await checkout(repository, run, '--branch', 'mine')).code).toBe(0);
  expect(await repository.git('rev-parse', 'mine')).toBe(head);
  await repository.commit({ 'more.txt': 'more\n' });
  const taken = await checkout(repository, run, '--branch', 'mine', '--json');
  expect(JSON.parse(taken.stderr)).toMatchObject({ code: 'checkout/branch-taken' });
  expect(await checkout(repository, run, '--branch', '-x..y', '--json')).toMatchObject({ code: 2 });
  // Their own commits on top of the run's branch stay.
  await repository.git('switch', '--quiet', `switchyard/${slug}`);
  const own = await repository.commit({ 'own.txt': 'own\n' });
  await repository.git('switch', '--quiet', 'main');
  expect((await checkout(repository, run)).stdout).toContain('they stay');
  expect(await repository.git('rev-parse', 'HEAD')).toBe(own);
  // What no longer stands on the run is left alone.
  await repository.git('reset', '--quiet', '--hard', 'main');
  await repository.commit({ 'foreign.txt': 'x\n' });
  await repository.git('switch', '--quiet', 'main');
  const moved = await checkout(repository, run, '--json');
  expect(JSON.parse(moved.stderr)).toMatchObject({ code: 'checkout/branch-moved' });
});

test('away from the repository it says where to go', async () => {
  await using repository = await tempRepository(files);
  const run = await settled(repository);
  const result = await installation.cli(['checkout', run, '--json']);
  expect(result.code).toBe(1);
  expect(JSON.parse(result.stderr)).toMatchObject({ code: 'checkout/not-here' });
});
