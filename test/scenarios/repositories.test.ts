import { rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RepositoryRemoval, RepositoryView } from '../../src/api/schemas/repository.ts';
import { isThere } from '../../src/lib/is-there.ts';
import { waitUntil } from '../../src/lib/wait-until.ts';
import { type TempRepository, tempRepository } from '../../src/testing/temp-repository.ts';
import { Installation } from '../support/installation.ts';

/** `repo ls|add|rm`: what is known of repositories, where they are, and how they are forgotten without losing work. */

let installation: Installation;

beforeAll(async () => {
  installation = await Installation.create({
    config: 'agents:\n  writer: { kind: custom, command: [sh, -c, "echo agent > made.txt"] }\n',
  });
});
afterAll(async () => {
  await installation[Symbol.asyncDispose]();
});

const files = {
  'base.txt': 'base\n',
  '.switchyard/config.yaml': 'checks:\n  present: { run: "test -f made.txt", kind: test }\nsetup: none\n',
};

async function finished(path: string): Promise<{ run: string; slug: string }> {
  const result = await installation.cli(['run', 'Do it', '--json', '--detach'], { cwd: path });
  expect(result).toMatchObject({ code: 0 });
  const { run } = JSON.parse(result.stdout) as { run: string };
  const { slug } = await installation.settled(run);
  return { run, slug };
}

async function listed(path: string): Promise<RepositoryView | undefined> {
  const rows = JSON.parse((await installation.cli(['repo', 'ls', '--json'])).stdout) as RepositoryView[];
  return rows.find((row) => row.path === path);
}

async function remove(
  name: string,
  ...more: string[]
): Promise<{ code: number; answer: RepositoryRemoval; stderr: string }> {
  const { code, stdout, stderr } = await installation.cli(['repo', 'rm', name, '--json', ...more]);
  return { code, stderr, answer: (stdout === '' ? {} : JSON.parse(stdout)) as RepositoryRemoval };
}

test('a repository is known by its first run, with its runs and what they take up', async () => {
  await using repository = await tempRepository(files);
  await finished(repository.path);
  const row = await listed(repository.path);
  expect(row).toMatchObject({ missing: false, runs: { succeeded: 1 } });
  expect(row?.bytes.store).toBeGreaterThan(1000);
  const shown = await installation.cli(['repo', 'ls']);
  expect(shown.stdout).toContain('runs: 1 succeeded; git store');
});

test('one that was added is known without a run, and goes without a question', async () => {
  await using repository = await tempRepository(files);
  const added = await installation.cli(['repo', 'add', 'src/..', '--json'], { cwd: repository.path });
  const { repository: row } = JSON.parse(added.stdout) as { repository: RepositoryView };
  expect(row).toMatchObject({ path: repository.path, runs: {} });
  expect(await remove(row.id)).toMatchObject({ code: 0, answer: { removed: true, runs: [] } });
  expect(await listed(repository.path)).toBeUndefined();
  expect((await installation.cli(['repo', 'rm', row.id])).code).toBe(5);
});

test('one that was moved keeps its runs, which go on there; the old place is free for another', async () => {
  await using repository = await tempRepository(files);
  const { run } = await finished(repository.path);
  const before = await listed(repository.path);
  const moved = join(installation.folder, 'moved');
  await rename(repository.path, moved);
  expect(await listed(repository.path)).toMatchObject({ missing: true });
  const added = await installation.cli(['repo', 'add', moved, '--json']);
  expect(JSON.parse(added.stdout)).toMatchObject({
    from: repository.path,
    repository: { id: before?.id, path: moved },
  });
  expect((await installation.cli(['merge', run])).code).toBe(0);
  expect(await isThere(join(moved, 'made.txt'))).toBe(true);
  await finished(moved); // it finds nothing left to change
  expect(await listed(moved)).toMatchObject({ missing: false, runs: { succeeded: 1, parked: 1 } });

  await using other = await tempRepository(files);
  await rename(other.path, repository.path);
  await finished(repository.path);
  const there = await listed(repository.path);
  expect(there?.id).not.toBe(before?.id);
  expect(there).toMatchObject({ runs: { succeeded: 1 } });
  await rename(repository.path, other.path);
});

test('what is merged or on a branch goes with a yes; nothing goes without', async () => {
  await using repository = await tempRepository(files);
  const { run } = await finished(repository.path);
  const row = await listed(repository.path);
  const store = join(installation.home.repositories, `${row?.id ?? ''}.git`);
  expect(await remove(repository.path)).toMatchObject({ code: 0, answer: { removed: false, runs: [{ lost: null }] } });
  expect((await stat(store)).isDirectory()).toBe(true);
  expect(await remove(row?.id ?? '', '--yes')).toMatchObject({ code: 0, answer: { removed: true } });
  expect(await isThere(store)).toBe(false);
  expect((await installation.cli(['show', run])).code).toBe(5);
  expect(await repository.git('branch', '--list', 'switchyard/*')).toContain('switchyard/do-it');
});

test('a run whose work is nowhere else has to be named, and one at work to be cancelled first', async () => {
  await using repository: TempRepository = await tempRepository(files);
  const { run, slug } = await finished(repository.path);
  await repository.git('branch', '-D', `switchyard/${slug}`);
  const refused = await remove(repository.path, '--yes');
  expect(refused.code).toBe(1);
  expect(JSON.parse(refused.stderr)).toMatchObject({
    code: 'repository/unmerged',
    hint: expect.stringContaining(`--discard-unmerged ${slug}`),
  });
  expect((await installation.show(run)).state.kind).toBe('succeeded');
  const told = await installation.cli(['repo', 'rm', repository.path]);
  expect(told.stdout).toContain('Nothing was done.');
  expect(await remove(repository.path, '--yes', '--discard-unmerged', slug)).toMatchObject({
    answer: { removed: true },
  });
});

test('a run that something happens to while its repository is being removed keeps it', async () => {
  await using repository = await tempRepository(files);
  const { run, slug } = await finished(repository.path);
  const { databaseUrl } = await installation.client.call('joinWorker', {});
  const client = new Client({ connectionString: databaseUrl, options: '-c search_path=switchyard,public' });
  await client.connect();
  try {
    await client.query('begin');
    await client.query('update run set priority = priority + 1 where id = $1', [run]);
    const removing = remove(repository.path, '--yes', '--discard-unmerged', slug);
    const isWaiting = async () =>
      (await client.query(`select 1 from pg_stat_activity where wait_event_type = 'Lock' and pid <> pg_backend_pid()`))
        .rowCount;
    await waitUntil(isWaiting, { timeoutMs: 30_000, what: 'the removal to come to the run' });
    await client.query('commit');
    const refused = await removing;
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.stderr)).toMatchObject({ code: 'repository/working' });
  } finally {
    await client.end();
  }
  expect((await installation.show(run)).id).toBe(run);
});
