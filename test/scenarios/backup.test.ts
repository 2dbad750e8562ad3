import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isThere } from '../../src/lib/is-there.ts';
import { waitUntil } from '../../src/lib/wait-until.ts';
import { type TempRepository, tempRepository } from '../../src/testing/temp-repository.ts';
import { createTestDatabase } from '../../src/testing/test-database.ts';
import { Installation } from '../support/installation.ts';

/** `server backup` and `server restore`: everything that cannot be made again, in one file and back. */

const run = promisify(execFile);
const SLOW = 'if [ -f begun.txt ]; then echo more > ended.txt; else echo agent > begun.txt; sleep 600; fi';
const CONFIG = `sandbox: pid
agents:
  writer: { kind: custom, command: [sh, -c, "echo agent > made.txt"] }
  slow: { kind: custom, command: [sh, -c, ${JSON.stringify(SLOW)}] }
defaults: { agent: writer }
`;
/** A home with nothing in it, as a restore wants it. */
const EMPTY = { sandbox: undefined };
let installation: Installation;
let repository: TempRepository;

beforeAll(async () => {
  installation = await Installation.create({ config: CONFIG });
  repository = await tempRepository({
    'base.txt': 'base\n',
    '.switchyard/config.yaml': 'checks:\n  present: { run: "true", kind: test }\nsetup: none\n',
  });
});
afterAll(async () => {
  await installation[Symbol.asyncDispose]();
  await repository[Symbol.asyncDispose]();
});

async function start(on: Installation, ...more: string[]): Promise<string> {
  const result = await on.cli(['run', 'Do it', '--json', '--detach', ...more], { cwd: repository.path });
  expect(result).toMatchObject({ code: 0 });
  return (JSON.parse(result.stdout) as { run: string }).run;
}

async function backUp(on: Installation, name: string): Promise<string> {
  const file = join(installation.folder, name);
  const result = await on.cli(['server', 'backup', file, '--json']);
  expect(result).toMatchObject({ code: 0, stderr: '' });
  expect(JSON.parse(result.stdout)).toMatchObject({ file, notes: [] });
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  return file;
}

/** Everything that may be seen of the home's runs. */
async function story(on: Installation, ids: readonly string[]): Promise<unknown[]> {
  return Promise.all(
    ids.map(async (id) => ({
      shown: await on.show(id),
      diff: (await on.cli(['diff', id])).stdout,
      logs: (await on.cli(['logs', id, '--json'])).stdout,
    })),
  );
}

test('a home comes back as it was: runs, journals, transcripts, commits, the trash, the configuration', async () => {
  const ids = [await start(installation), await start(installation)];
  for (const id of ids) await installation.settled(id);
  await installation.cli(['discard', ids[1] ?? '', '--yes']);
  const refs = async (on: Installation) => {
    const [store = ''] = await readdir(on.home.repositories);
    return (await run('git', ['-C', join(on.home.repositories, store), 'for-each-ref'])).stdout;
  };
  await waitUntil(async () => (await refs(installation)).includes('/trash/'), { timeoutMs: 10_000, what: 'the trash' });
  const file = await backUp(installation, 'whole.tar');
  const before = await story(installation, ids);

  await using other = await Installation.create(EMPTY);
  const restored = await other.cli(['server', 'restore', file, '--json']);
  expect(restored).toMatchObject({ code: 0, stderr: '' });
  expect(JSON.parse(restored.stdout)).toMatchObject({ home: other.home.folder, aside: [], notes: [] });
  expect(await readFile(other.home.config, 'utf8')).toBe(CONFIG);
  expect((await other.cli(['server', 'up'])).code).toBe(0);
  expect(await story(other, ids)).toEqual(before);
  expect(await refs(other)).toBe(await refs(installation));
  // What checkpoints keep encrypted can be read in the new place.
  const key = async (on: Installation) => {
    const path = join(on.home.repositories, (await readdir(on.home.repositories))[0] ?? '', 'checkpoint.key');
    return { key: await readFile(path, 'hex'), mode: (await stat(path)).mode & 0o777 };
  };
  expect(await key(other)).toEqual({ key: (await key(installation)).key, mode: 0o600 });
  expect((await other.cli(['restore', ids[1] ?? ''])).code).toBe(0);
  // It goes on: numbers that the database gives out do not collide with what is there.
  const next = await start(other);
  expect((await other.settled(next)).state.kind).toBe('succeeded');
});

test('taken while an agent works, its run goes on as after a crash', async () => {
  const id = await start(installation, '--agent', 'slow');
  const begun = join(installation.home.workspaces, id, 'tree', 'begun.txt');
  await waitUntil(() => readFile(begun, 'utf8').catch(() => ''), { timeoutMs: 30_000, what: 'the agent at work' });
  const file = await backUp(installation, 'at-work.tar');

  await using other = await Installation.create(EMPTY);
  expect((await other.cli(['server', 'restore', file])).stdout).toContain('Runs that were at work go on');
  expect(await other.show(id).catch(() => undefined)).toBeUndefined();
  expect((await other.cli(['server', 'up'])).code).toBe(0);
  // As after a crash: a new attempt, in a workspace that is made again.
  await waitUntil(async () => (await other.show(id)).steps.some((step) => step.attempts > 1), {
    timeoutMs: 60_000,
    what: 'another attempt',
  });
  await other.cli(['cancel', id]);
  await installation.cli(['cancel', id]);
  await installation.settled(id);
});

test('a checkpoint that no ref keeps any more is in the backup all the same', async () => {
  const id = await start(installation);
  await installation.settled(id);
  const { base } = await installation.show(id);
  const [store = ''] = await readdir(installation.home.repositories);
  const git = async (...args: string[]) =>
    (await run('git', ['-C', join(installation.home.repositories, store), ...args])).stdout.trim();
  const author = ['-c', 'user.name=a', '-c', 'user.email=a@b'];
  const loose = await git(...author, 'commit-tree', '-m', 'loose', `${base.commit}^{tree}`);
  const { databaseUrl } = await installation.client.call('joinWorker', {});
  const { Client } = await import('pg');
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query('update switchyard.step set checkpoint = $2 where run = $1', [id, loose]);
  await client.end();
  const file = await backUp(installation, 'loose.tar');
  await using other = await Installation.create(EMPTY);
  expect((await other.cli(['server', 'restore', file])).code).toBe(0);
  expect(await git('for-each-ref', 'refs/switchyard/held')).toBe('');
  const [theirs = ''] = await readdir(other.home.repositories);
  const found = await run('git', ['-C', join(other.home.repositories, theirs), 'cat-file', '-t', loose]);
  expect(found.stdout).toBe('commit\n');
});

test('a home with something in it is refused, or moved aside whole; one that a daemon serves is never touched', async () => {
  const file = await backUp(installation, 'again.tar');
  const busy = await installation.cli(['server', 'restore', file, '--replace', '--json']);
  expect(JSON.parse(busy.stderr)).toMatchObject({ code: 'restore/in-use' });

  await using other = await Installation.create({ config: 'defaults: { blueprint: quick }\n' });
  const refused = await other.cli(['server', 'restore', file, '--json']);
  expect(refused.code).toBe(1);
  expect(JSON.parse(refused.stderr)).toMatchObject({ code: 'restore/not-empty' });
  const done = await other.cli(['server', 'restore', file, '--replace', '--json']);
  const { aside } = JSON.parse(done.stdout) as { aside: string[] };
  expect(await readFile(join(aside[0] ?? '', 'config.yaml'), 'utf8')).toContain('quick');
  expect(await readFile(other.home.config, 'utf8')).toBe(CONFIG);
});

test('a damaged, a foreign and a newer backup are refused, and nothing changes', async () => {
  const file = await backUp(installation, 'good.tar');
  await using other = await Installation.create(EMPTY);
  const refusal = async (path: string) => {
    const { code, stderr } = await other.cli(['server', 'restore', path, '--json']);
    expect(code).toBe(1);
    return (JSON.parse(stderr) as { code: string }).code;
  };
  const folder = join(installation.folder, 'unpacked');
  await mkdir(folder);
  await run('tar', ['-xf', file, '-C', folder]);
  const manifest = await readFile(join(folder, 'manifest.json'), 'utf8');
  const packed = async (name: string) => {
    await run('tar', ['-cf', join(installation.folder, name), '-C', folder, '.']);
    return join(installation.folder, name);
  };
  await writeFile(join(folder, 'manifest.json'), manifest.replace('0001-first.sql', '9999-later.sql'));
  expect(await refusal(await packed('newer.tar'))).toBe('backup/newer');
  await writeFile(join(folder, 'manifest.json'), manifest);
  const [bundle = ''] = await readdir(join(folder, 'repos'));
  await writeFile(join(folder, 'repos', bundle), 'nothing');
  expect(await refusal(await packed('damaged.tar'))).toBe('backup/damaged');
  await writeFile(join(installation.folder, 'foreign.tar'), 'not a backup');
  expect(await refusal(join(installation.folder, 'foreign.tar'))).toBe('backup/not-one');
  expect((await other.cli(['server', 'restore', '/does/not/exist.tar'])).code).toBe(2);
  expect(await isThere(other.home.config)).toBe(false);
  expect(await readdir(installation.folder)).not.toContainEqual(expect.stringMatching(/\.part-|\.restoring-/));
});

test('a folder gets a file by date; a file that is there is never written over', async () => {
  const folder = join(installation.folder, 'backups');
  await mkdir(folder);
  const first = await installation.cli(['server', 'backup', folder]);
  expect(first).toMatchObject({ code: 0, stdout: expect.stringContaining('and read back') });
  const [name = ''] = await readdir(folder);
  expect(name).toMatch(/^switchyard-\d{8}-\d{6}\.tar$/);
  const again = await installation.cli(['server', 'backup', join(folder, name), '--json']);
  expect(JSON.parse(again.stderr)).toMatchObject({ code: 'backup/exists' });
});

test("into a server of one's own that has runs already: they are moved aside within it", async () => {
  const file = await backUp(installation, 'external.tar');
  await using database = await createTestDatabase();
  await using other = await Installation.create({ ...EMPTY, env: { DATABASE_URL: database.url } });
  expect((await other.cli(['server', 'restore', file])).code).toBe(0);
  expect((await other.cli(['server', 'restore', file, '--json'])).code).toBe(1);
  const again = await other.cli(['server', 'restore', file, '--replace', '--json']);
  expect(again.code).toBe(0);
  expect((JSON.parse(again.stdout) as { aside: string[] }).aside).toContainEqual(
    expect.stringMatching(/^schema switchyard_before_/),
  );
  expect((await other.cli(['server', 'up'])).code).toBe(0);
  expect(JSON.parse((await other.cli(['ls', '--all', '--json'])).stdout)).toEqual(
    JSON.parse((await installation.cli(['ls', '--all', '--json'])).stdout),
  );
});

test("what fails halfway leaves the database of a server of one's own as it was", async () => {
  const file = await backUp(installation, 'halfway.tar');
  const folder = join(installation.folder, 'halfway');
  await mkdir(folder);
  await run('tar', ['-xf', file, '-C', folder]);
  const manifest = join(folder, 'manifest.json');
  // Told only when everything has been loaded.
  await writeFile(manifest, (await readFile(manifest, 'utf8')).replace(/"run": \d+/, '"run": 9999'));
  const lacking = join(installation.folder, 'lacking.tar');
  await run('tar', ['-cf', lacking, '-C', folder, '.']);

  await using database = await createTestDatabase();
  await using other = await Installation.create({ config: CONFIG, env: { DATABASE_URL: database.url } });
  const id = await start(other);
  const before = await other.settled(id);
  await other.cli(['server', 'down']);
  const result = await other.cli(['server', 'restore', lacking, '--replace', '--json']);
  expect(JSON.parse(result.stderr)).toMatchObject({ code: 'backup/damaged' });
  expect(await database.query(`select nspname from pg_namespace where nspname like '%before%'`)).toEqual([]);
  expect(await readFile(other.home.config, 'utf8')).toBe(CONFIG);
  expect((await other.cli(['server', 'up'])).code).toBe(0);
  expect((await other.show(id)).head).toBe(before.head);
});

test('a database that the daemon of another home is using is not taken from it', async () => {
  const file = await backUp(installation, 'shared.tar');
  await using database = await createTestDatabase();
  await using owner = await Installation.create({ config: CONFIG, env: { DATABASE_URL: database.url } });
  expect((await owner.cli(['server', 'up'])).code).toBe(0);
  await using other = await Installation.create({ ...EMPTY, env: { DATABASE_URL: database.url } });
  const restore = () => other.cli(['server', 'restore', file, '--replace', '--json']);
  expect(JSON.parse((await restore()).stderr)).toMatchObject({ code: 'restore/in-use' });
  expect(JSON.parse((await owner.cli(['ls', '--json'])).stdout)).toEqual([]);
  await owner.cli(['server', 'down']);
  expect((await restore()).code).toBe(0);
});
