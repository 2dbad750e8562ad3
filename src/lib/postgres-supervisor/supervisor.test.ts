import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { killChild } from '../../testing/kill-child.ts';
import { checkoutIsPublic } from '../../testing/readable-by-all.ts';
import { noCrashPoint } from '../crash-point.ts';
import { isAlive, processStart } from '../processes.ts';
import { waitUntil } from '../wait-until.ts';
import { findServer, stopServer } from './process.ts';
import { type PostgresOptions, type PostgresServer, startPostgres } from './supervisor.ts';

const asRoot = process.getuid?.() === 0 ? test : test.skip;
/** Another user has to be able to run the programs in this checkout. */
const asRootForAnother = process.getuid?.() === 0 && checkoutIsPublic ? test : test.skip;
const NOBODY = 65_534;

/** One database serves most tests, to save them its making; each finds it stopped. */
let shared: string;
let home: string;
let dataFolder: string;
let lines: string[] = [];
const servers: PostgresServer[] = [];
const children: ChildProcess[] = [];

beforeAll(async () => {
  shared = await mkdtemp(join(tmpdir(), 'pg-shared-'));
  const server = await startPostgres(optionsFor(join(shared, 'pg')));
  await server.stop();
});

beforeEach(() => {
  useHome(shared);
  lines = [];
});

afterEach(async () => {
  for (const child of children.splice(0)) await killChild(child);
  for (const server of servers.splice(0)) await server.stop();
  const left = await findServer(dataFolder, AbortSignal.timeout(30_000));
  if (left) await stopServer(left);
  // The helpers of a killed process may need a moment to notice.
  if (home !== shared) await rm(home, { recursive: true, maxRetries: 10 });
});

afterAll(() => rm(shared, { recursive: true }));

test('the first start makes a database, only for this user, and the second start finds what was written', async () => {
  await useEmptyHome();
  const first = await start();
  expect(lines).toEqual([expect.stringContaining('making a new one'), expect.stringContaining('started')]);
  await query(first.url, 'create table notes (text text)');
  await query(first.url, `insert into notes values ('kept')`);
  expect(await query(first.url, 'show listen_addresses')).toEqual([{ listen_addresses: '' }]);
  expect(await query(first.url, 'show server_encoding')).toEqual([{ server_encoding: 'UTF8' }]);
  for (const setting of ['fsync', 'full_page_writes', 'synchronous_commit', 'data_checksums']) {
    expect(await query(first.url, `show ${setting}`)).toEqual([{ [setting]: 'on' }]);
  }
  for (const folder of [dataFolder, `${dataFolder}-socket`]) {
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
  }
  const identity = identityOf(first);
  await Promise.all([first.stop(), first.stop()]);
  expect(isAlive(identity)).toBe(false);

  const second = await start();
  expect(await query(second.url, 'select text from notes')).toEqual([{ text: 'kept' }]);
  expect(second.url).toBe(first.url);
});

test('a server whose supervising process was killed lives on and is adopted, connections and all', async () => {
  const { url, pid, child } = await startElsewhere();
  const client = await connect(url);
  await client.query('create temporary table mine (number int)');
  await killChild(child);

  const server = await start();
  expect(server.pid).toBe(pid);
  expect(server.url).toBe(url);
  expect(lines).toEqual([expect.stringContaining('adopted')]);
  expect((await client.query('select * from mine')).rows).toEqual([]);
  await client.end();

  const identity = identityOf(server);
  await server.stop();
  expect(isAlive(identity)).toBe(false);
});

test('a killed server is started again at the same address, and no acknowledged transaction is lost', async () => {
  const server = await start();
  await query(server.url, 'create table numbers (number int primary key)');
  for (let round = 1; round <= 3; round++) {
    const writer = writeNumbers(server.url);
    await writer.acknowledged(20);
    const { pid } = server;
    process.kill(pid, 'SIGKILL');
    const last = await writer.ended;
    await waitUntil(() => server.pid !== pid, { timeoutMs: 30_000, what: 'another server' });
    const [row] = await query(server.url, 'select count(*)::int as count, max(number) as max from numbers');
    expect(row?.['max']).toBe(row?.['count']);
    expect(row?.['count']).toBeGreaterThanOrEqual(last);
  }
});

test('an adopted server that is killed is started again, too', async () => {
  const { pid, child } = await startElsewhere();
  await killChild(child);
  const server = await start();
  expect(server.pid).toBe(pid);
  process.kill(pid, 'SIGKILL');
  await waitUntil(() => server.pid !== pid, { timeoutMs: 30_000, what: 'another server' });
  expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
});

test('a server that dies again and again is given up, with the reason', async () => {
  const server = await start();
  for (let restart = 0; restart < 5; restart++) {
    const { pid } = server;
    process.kill(pid, 'SIGKILL');
    await waitUntil(() => server.pid !== pid, { timeoutMs: 30_000, what: 'another server' });
  }
  process.kill(server.pid, 'SIGKILL');
  expect(await server.failed).toMatchObject({ code: 'database/keeps-dying' });
  await server.stop();
  // The folder is free, and nothing is wrong with it.
  await start();
});

test('a second supervisor is refused, and the first goes on', async () => {
  const { url, child } = await startElsewhere();
  await expect(startPostgres(optionsFor(dataFolder))).rejects.toMatchObject({
    code: 'database/in-use',
    message: expect.stringContaining(`process (${child.pid},`),
  });
  expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }]);
});

test('a database whose making was interrupted by a kill is thrown away and made anew', async () => {
  await useEmptyHome();
  const child = supervise(dataFolder);
  const halves = async () => (await readdir(home)).filter((name) => name.includes('half-made'));
  const half = await waitUntil(async () => (await halves())[0], { timeoutMs: 10_000, everyMs: 1, what: 'a half' });
  await killChild(child);
  await mkdir(join(home, half, 'remains'), { recursive: true });

  const server = await start();
  expect(await query(server.url, 'select current_database() as name')).toEqual([{ name: 'switchyard' }]);
  // The killed process's initdb may have been at work still; the next start finds the rest.
  await server.stop();
  expect(await readdir(dataFolder)).toContain('PG_VERSION');
});

test('an abort while starting ends with its reason and leaves no server and no lock', async () => {
  const abort = new AbortController();
  const reason = new Error('changed my mind');
  const crashPoint = async (name: string) => {
    if (name === 'database-start.before') setTimeout(() => abort.abort(reason), 5);
  };
  const starting = startPostgres({ ...optionsFor(dataFolder), crashPoint, signal: abort.signal });
  await expect(starting).rejects.toBe(reason);
  expect(await findServer(dataFolder, AbortSignal.timeout(30_000))).toBeUndefined();
  await start();
});

test('an abort later ends only the supervision', async () => {
  const abort = new AbortController();
  const server = await start({ signal: abort.signal });
  abort.abort();
  expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  const identity = identityOf(server);
  await server.stop();
  expect(isAlive(identity)).toBe(false);
});

test('a process that dies before or after the start of its server leaves what the next one can use', async () => {
  for (const point of ['database-start.before', 'database-start.after']) {
    const child = supervise(
      dataFolder,
      `armedCrashPoint('${point}', async () => process.kill(process.pid, 'SIGKILL'))`,
    );
    const [, signal] = await once(child, 'exit');
    expect(signal).toBe('SIGKILL');
    await using server = await startPostgres(optionsFor(dataFolder));
    expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  }
  expect(lines.filter((line) => line.includes('adopted'))).toHaveLength(1);
});

test('the crash points are passed around each start, and not when a server is adopted', async () => {
  const passed: string[] = [];
  const crashPoint = (name: string) => {
    passed.push(name);
    return Promise.resolve();
  };
  const { child } = await startElsewhere();
  await killChild(child);
  const server = await start({ crashPoint });
  expect(passed).toEqual([]);
  process.kill(server.pid, 'SIGKILL');
  await waitUntil(() => passed.includes('database-start.after'), { timeoutMs: 30_000, what: 'a start' });
  expect(passed[0]).toBe('database-start.before');
});

test('a socket whose path would be too long goes to a short one, for this user only', async () => {
  await useEmptyHome();
  const deep = join(home, 'a-name-of-forty-characters-for-a-folder-', 'and-another-one-of-the-very-same-length-');
  await mkdir(deep, { recursive: true });
  await copyShared(join(deep, 'pg'));
  const server = await startPostgres(optionsFor(join(deep, 'pg')));
  const folder = new URLSearchParams(server.url.split('?')[1]).get('host')!;
  expect(folder.length).toBeLessThan(80);
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  await server.stop();
  await rm(folder, { recursive: true });
});

test('the path of a home may hold blanks, quotes and commas', async () => {
  await useEmptyHome();
  const odd = join(home, `it's "mine", really`);
  await mkdir(odd);
  await copyShared(join(odd, 'pg'));
  await using server = await startPostgres(optionsFor(join(odd, 'pg')));
  expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
});

test('data of another major version is refused and not touched', async () => {
  await useEmptyHome();
  await mkdir(dataFolder);
  await writeFile(join(dataFolder, 'PG_VERSION'), '15\n');
  await expect(startPostgres(optionsFor(dataFolder))).rejects.toMatchObject({
    code: 'database/other-major',
    message: expect.stringContaining('PostgreSQL 15'),
    hint: expect.stringContaining('backup'),
  });
  expect(await readFile(join(dataFolder, 'PG_VERSION'), 'utf8')).toBe('15\n');
});

test('a folder that holds something else is refused, an empty one is used', async () => {
  await useEmptyHome();
  await mkdir(dataFolder);
  await writeFile(join(dataFolder, 'letter.txt'), 'dear');
  await expect(startPostgres(optionsFor(dataFolder))).rejects.toMatchObject({ code: 'database/not-a-cluster' });
  expect(await readdir(dataFolder)).toEqual(['letter.txt']);
  await rm(join(dataFolder, 'letter.txt'));
  await start();
});

test('a pid that a killed server left, and that a stranger has now, does not prevent the start', async () => {
  const { pid, child } = await startElsewhere();
  await killChild(child);
  process.kill(pid, 'SIGKILL');
  await waitUntil(() => !isAlive({ pid }), { timeoutMs: 10_000 });
  const path = join(dataFolder, 'postmaster.pid');
  const stranger = spawn('sleep', ['60']);
  children.push(stranger);
  await writeFile(path, (await readFile(path, 'utf8')).replace(/^\d+/, String(stranger.pid)));

  const server = await start();
  expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  expect(isAlive({ pid: stranger.pid! })).toBe(true);
});

test('a start that cannot succeed ends with what the server said', async () => {
  const path = join(dataFolder, 'postgresql.conf');
  const right = await readFile(path, 'utf8');
  await writeFile(path, 'no such setting = here\n');
  await expect(startPostgres(optionsFor(dataFolder))).rejects.toMatchObject({
    code: 'database/does-not-start',
    message: expect.stringContaining('postgresql.conf'),
  });
  await writeFile(path, right);
  await start();
});

test('a log that has grown too large is emptied at the next start', async () => {
  await writeFile(`${dataFolder}.log`, 'x'.repeat(9 * 2 ** 20));
  await start();
  expect((await stat(`${dataFolder}.log`)).size).toBeLessThan(2 ** 20);
});

asRootForAnother('an ordinary user gets a database, and its server outlives the supervising process, too', async () => {
  await useEmptyHome();
  await chown(home, NOBODY, NOBODY);
  const first = await startElsewhere({ uid: NOBODY, gid: NOBODY });
  expect(await ownerOf(first.pid)).toBe(NOBODY);
  expect(await query(first.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  await killChild(first.child);
  const second = await startElsewhere({ uid: NOBODY, gid: NOBODY });
  expect(second.pid).toBe(first.pid);
});

asRootForAnother('root runs the server of another user as that user', async () => {
  await useEmptyHome();
  await copyShared(dataFolder);
  await execa('chown', ['-R', `${NOBODY}:${NOBODY}`, dataFolder]);
  await chmod(home, 0o755);
  const server = await start();
  expect(await ownerOf(server.pid)).toBe(NOBODY);
  expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
});

asRoot('a full disk is named, before and during the making of a database, and nothing is left on it', async () => {
  await useEmptyHome();
  for (const [options, code] of [
    ['size=20m', 'database/disk-full'],
    ['size=200m,nr_inodes=300', 'database/cannot-initialise'],
  ] as const) {
    await execa('sh', ['-c', `mount -t tmpfs -o ${options} tmpfs ${home}`]);
    try {
      await expect(startPostgres(optionsFor(dataFolder))).rejects.toMatchObject({ code });
      expect(await readdir(home)).toEqual(['pg.lock']);
    } finally {
      await execa('sh', ['-c', `umount ${home}`]);
    }
  }
});

function optionsFor(dataFolder: string): PostgresOptions {
  const log = (line: string) => void lines.push(line);
  return { dataFolder, crashPoint: noCrashPoint, log, signal: new AbortController().signal };
}

async function start(options: Partial<PostgresOptions> = {}): Promise<PostgresServer> {
  const server = await startPostgres({ ...optionsFor(dataFolder), ...options });
  servers.push(server);
  return server;
}

function useHome(folder: string): void {
  home = folder;
  dataFolder = join(folder, 'pg');
}

async function useEmptyHome(): Promise<void> {
  useHome(await mkdtemp(join(tmpdir(), 'pg-')));
}

async function copyShared(to: string): Promise<void> {
  await cp(join(shared, 'pg'), to, { recursive: true });
}

/** A process that supervises a server and writes the server's address and pid as one line. */
function supervise(
  dataFolder: string,
  crashPoint = 'noCrashPoint',
  ids?: { readonly uid: number; readonly gid: number },
): ChildProcess {
  const module = (name: string) => JSON.stringify(new URL(name, import.meta.url).href);
  const program = `
    const { armedCrashPoint, noCrashPoint } = await import(${module('../crash-point.ts')});
    const { startPostgres } = await import(${module('supervisor.ts')});
    const { url, pid } = await startPostgres({
      dataFolder: ${JSON.stringify(dataFolder)},
      crashPoint: ${crashPoint},
      log: () => undefined,
      signal: new AbortController().signal,
    });
    console.log(JSON.stringify({ url, pid }));
    setInterval(() => undefined, 60_000);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
    ...ids,
  });
  children.push(child);
  return child;
}

async function startElsewhere(ids?: { readonly uid: number; readonly gid: number }) {
  const child = supervise(dataFolder, 'noCrashPoint', ids);
  let said = '';
  child.stdout?.on('data', (chunk) => {
    said += String(chunk);
  });
  const ended = () => child.exitCode !== null || child.signalCode !== null;
  await waitUntil(() => said.endsWith('\n') || ended(), { timeoutMs: 30_000, what: 'a server elsewhere' });
  const { url, pid } = JSON.parse(said) as { url: string; pid: number };
  return { url, pid, child };
}

async function connect(url: string): Promise<Client> {
  const client = new Client(url);
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = await connect(url);
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

/** Writes 1, 2, 3… each in a transaction of its own, until the server is gone. */
function writeNumbers(url: string) {
  let last = 0;
  const write = async () => {
    const client = await connect(url);
    try {
      const { rows } = await client.query<{ next: number }>('select coalesce(max(number), 0) + 1 as next from numbers');
      for (let next = rows[0]?.next ?? 1; ; next++) {
        await client.query('insert into numbers values ($1)', [next]);
        last = next;
      }
    } catch {
      return last;
    }
  };
  const ended = write();
  const acknowledged = async (count: number) => {
    await waitUntil(() => last > 0, { timeoutMs: 10_000 });
    const from = last;
    await waitUntil(() => last >= from + count, { timeoutMs: 10_000, everyMs: 1, what: 'some transactions' });
  };
  return { ended, acknowledged };
}

function identityOf({ pid }: PostgresServer) {
  return { pid, start: processStart(pid) };
}

async function ownerOf(pid: number): Promise<number> {
  return (await stat(`/proc/${pid}`)).uid;
}
