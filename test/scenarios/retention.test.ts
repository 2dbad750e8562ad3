import { execFile } from 'node:child_process';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Pruned } from '../../src/api/schemas/server.ts';
import { isThere } from '../../src/lib/is-there.ts';
import { waitUntil } from '../../src/lib/wait-until.ts';
import { type TempRepository, tempRepository } from '../../src/testing/temp-repository.ts';
import { Installation } from '../support/installation.ts';

/** `retention:` in config.yaml and `server prune`: what has been kept for long enough goes, and nothing else. */

const run = promisify(execFile);
const AGENTS = 'agents:\n  writer: { kind: custom, command: [sh, -c, "echo said; echo agent > made.txt"] }\n';
let installation: Installation;
let repository: TempRepository;

beforeEach(async () => {
  installation = await Installation.create({ config: AGENTS });
  repository = await tempRepository({
    'base.txt': 'base\n',
    '.switchyard/config.yaml': 'checks:\n  present: { run: "true", kind: test }\nsetup: none\n',
  });
});
afterEach(async () => {
  await installation[Symbol.asyncDispose]();
  await repository[Symbol.asyncDispose]();
});

async function finished(): Promise<string> {
  const result = await installation.cli(['run', 'Do it', '--json', '--detach'], { cwd: repository.path });
  expect(result).toMatchObject({ code: 0 });
  const { run: id } = JSON.parse(result.stdout) as { run: string };
  await installation.settled(id);
  return id;
}

async function sql(text: string, values: readonly unknown[] = []): Promise<unknown[]> {
  const { databaseUrl } = await installation.client.call('joinWorker', {});
  const client = new Client({ connectionString: databaseUrl, options: '-c search_path=switchyard,public' });
  await client.connect();
  const { rows } = await client.query(text, [...values]);
  await client.end();
  return rows;
}

/** As if the run had ended so many days ago. */
const age = (id: string, days: number) =>
  sql('update run set ended_at = now() - make_interval(days => $2) where id = $1', [id, days]);

const retain = (text: string) => writeFile(installation.home.config, `${AGENTS}retention: ${text}\n`);

async function prune(...more: string[]): Promise<Pruned['items']> {
  const { code, stdout } = await installation.cli(['server', 'prune', '--json', ...more]);
  expect(code).toBe(0);
  return (JSON.parse(stdout) as Pruned).items;
}

async function git(...args: string[]): Promise<string> {
  const [store = ''] = await readdir(installation.home.repositories);
  return (await run('git', ['-C', join(installation.home.repositories, store), ...args])).stdout.trim();
}

async function discarded(): Promise<string> {
  const id = await finished();
  await installation.cli(['discard', id, '--yes']);
  const refs = () => git('for-each-ref', `refs/switchyard/trash/${id}/`);
  await waitUntil(refs, { timeoutMs: 10_000, what: 'the trash' });
  return id;
}

test('unasked, nothing goes that could hold work, however old', async () => {
  const ids = [await finished(), await discarded()];
  for (const id of ids) await age(id, 4000);
  const refs = await git('for-each-ref');
  expect((await prune()).map(({ kind }) => kind)).not.toContain('trash');
  expect(await git('for-each-ref')).toBe(refs);
  expect((await installation.cli(['restore', ids[1] ?? ''])).code).toBe(0);
});

test('the trash is emptied after its period, which is said; younger runs and all others stay', async () => {
  const [kept, young, old] = [await finished(), await discarded(), await discarded()];
  await age(old, 40);
  await retain('{ trash: 30d }');
  const { head } = await installation.show(old);
  const dry = await prune('--dry-run');
  expect(dry).toContainEqual(
    expect.objectContaining({ kind: 'trash', why: expect.stringMatching(/discarded on .*retention\.trash is 30d/) }),
  );
  expect(await git('for-each-ref', `refs/switchyard/trash/${old}/`)).not.toBe('');

  expect((await prune()).filter(({ kind }) => kind === 'trash')).toHaveLength(1);
  expect(await git('for-each-ref', `refs/switchyard/trash/${old}/`)).toBe('');
  const gone = await installation.cli(['restore', old, '--json']);
  expect(JSON.parse(gone.stderr)).toMatchObject({ code: 'run/gone' });
  expect((await installation.cli(['logs', old])).stdout).toContain('Its commits are gone for good');
  expect((await installation.cli(['restore', young])).code).toBe(0);
  expect((await installation.cli(['diff', kept])).stdout).toContain('+agent');
  // Its objects are too young to go yet; when they are old enough they do, and nothing that a run still has.
  expect(await git('cat-file', '-t', head)).toBe('commit');
});

test('objects that no run has go once they are old, and those that only the database names stay', async () => {
  const [kept, old] = [await finished(), await discarded()];
  await age(old, 40);
  await retain('{ trash: 30d }');
  const { base } = await installation.show(kept);
  const author = ['-c', 'user.name=a', '-c', 'user.email=a@b'];
  const commit = (text: string) => git(...author, 'commit-tree', '-m', text, `${base.commit}^{tree}`);
  const [named, loose] = [await commit('named'), await commit('loose')];
  await sql('update step set checkpoint = $2 where run = $1', [kept, named]);
  const [store = ''] = await readdir(installation.home.repositories);
  await run('find', [
    join(installation.home.repositories, store, 'objects'),
    '-type',
    'f',
    '-exec',
    'touch',
    '-d',
    '60 days ago',
    '{}',
    '+',
  ]);
  expect((await prune()).map(({ kind }) => kind)).toEqual(expect.arrayContaining(['trash', 'git']));
  await expect(git('cat-file', '-t', loose)).rejects.toThrow();
  expect(await git('cat-file', '-t', named)).toBe('commit');
  expect(await git('for-each-ref', 'refs/switchyard/held')).toBe('');
  expect((await installation.cli(['diff', kept])).stdout).toContain('+agent');
  expect(await git('fsck', '--connectivity-only', '--no-dangling')).toBe('');
});

test('transcripts go and the journal stays; runs go altogether, but those that are not over never', async () => {
  const [spoken, whole] = [await finished(), await finished()];
  const parked = await finished();
  await sql(
    `update run set state = '{"kind":"parked","reason":{"code":"x","message":"x"},"needs":{"kind":"error","choices":[],"head":null}}', ended_at = null where id = $1`,
    [parked],
  );
  await age(spoken, 100);
  await retain('{ transcripts: 90d }');
  expect(await prune()).toContainEqual(expect.objectContaining({ kind: 'transcripts' }));
  const logs = (await installation.cli(['logs', spoken, '--json'])).stdout;
  expect(logs).not.toContain('agent.text');
  expect(logs).toContain('step.ended');
  expect(logs).toContain('What its agents said is gone');
  expect((await installation.cli(['logs', whole, '--json'])).stdout).toContain('agent.text');

  await age(whole, 400);
  await retain('{ runs: 365d }');
  expect((await prune()).filter(({ kind }) => kind === 'runs')).toHaveLength(1);
  expect((await installation.cli(['show', whole])).code).toBe(5);
  expect(await git('for-each-ref', `refs/switchyard/runs/${whole}/`)).toBe('');
  expect(await sql('select 1 from task where not exists (select 1 from run where run.task = task.id)')).toEqual([]);
  for (const id of [spoken, parked]) expect((await installation.cli(['show', id])).code).toBe(0);
});

test('workspaces of runs that are over go only where a period was set for them; notes of the machinery go by themselves', async () => {
  const id = await finished();
  await sql(`update run set state = '{"kind":"cancelled"}' where id = $1`, [id]);
  const folder = join(installation.home.workspaces, id);
  await waitUntil(async () => !(await isThere(folder)), {
    timeoutMs: 10_000,
    what: 'the workspace of a success to go',
  });
  await run('mkdir', ['-p', join(folder, 'tree')]);
  await age(id, 4000);
  expect((await prune('--dry-run')).map(({ kind }) => kind)).not.toContain('workspaces');
  await retain('{ workspaces: 7d }');
  await age(id, 6);
  expect((await prune('--dry-run')).map(({ kind }) => kind)).not.toContain('workspaces');
  await age(id, 8);
  await sql(`update outbox set done_at = now() - interval '8 days' where done_at is not null`);
  expect((await prune()).map(({ kind }) => kind)).toEqual(['workspaces', 'rows']);
  await waitUntil(async () => !(await isThere(folder)), { timeoutMs: 10_000, what: 'the workspace to go' });
  expect((await installation.cli(['server', 'prune'])).stdout).toContain('nothing that may go');
});
