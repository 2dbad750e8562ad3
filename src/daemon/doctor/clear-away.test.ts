import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../lib/clock.ts';
import { acquireExclusiveLock } from '../../lib/exclusive-lock.ts';
import { git } from '../../lib/git/git.ts';
import { type Home, resolveHome } from '../../lib/home.ts';
import { isThere } from '../../lib/is-there.ts';
import { isAlive, sendSignal } from '../../lib/processes.ts';
import { makeScratchFolder } from '../../lib/scratch-folder.ts';
import { waitUntil } from '../../lib/wait-until.ts';
import { openDatabase } from '../../store/database.ts';
import { insertBareRun } from '../../store/fixture.ts';
import { migrate } from '../../store/migrate.ts';
import { announceWorker } from '../../store/workers.ts';
import { createTestDatabase } from '../../testing/test-database.ts';
import { clearAway } from './clear-away.ts';
import type { Env } from './report.ts';

const HERE = import.meta.dirname;

test('where nothing was left there is nothing to do, and nothing is made', async () => {
  const { env, home } = await someHome({ used: false });
  expect(await clearAway({ env, dryRun: false })).toEqual({
    schema: 1,
    ok: true,
    dryRun: false,
    notes: [],
    leftovers: [],
  });
  await expect(access(home.lock)).rejects.toThrow();
});

test('the socket of a killed daemon goes, after a dry run that leaves it', async () => {
  const { env, home } = await someHome();
  await killedAfter(
    `require('node:net').createServer().listen(${JSON.stringify(home.socket)}, () => console.log('up'))`,
  );
  const dry = await clearAway({ env, dryRun: true });
  expect(dry).toMatchObject({ ok: false, leftovers: [{ kind: 'socket', what: home.socket, outcome: 'would-remove' }] });
  expect(await isThere(home.socket)).toBe(true);
  expect(await clearAway({ env, dryRun: false })).toMatchObject({ ok: true, leftovers: [{ outcome: 'removed' }] });
  expect(await isThere(home.socket)).toBe(false);
  expect((await clearAway({ env, dryRun: false })).leftovers).toEqual([]);
});

test('a socket at which somebody answers is not touched', async () => {
  const { env, home } = await someHome();
  const server = createServer().listen(home.socket);
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  expect((await clearAway({ env, dryRun: false })).leftovers).toEqual([]);
  expect(await isThere(home.socket)).toBe(true);
});

test('while a daemon holds the home nothing of it is looked at, whatever it looks like', async () => {
  const { env, home } = await someHome();
  await killedAfter(
    `require('node:net').createServer().listen(${JSON.stringify(home.socket)}, () => console.log('up'))`,
  );
  const stray = await strayIn(home, 'abcdefgh2345');
  await using lock = await acquireExclusiveLock(home.lock);
  expect(lock).toBeDefined();
  const cleared = await clearAway({ env, dryRun: false });
  expect(cleared.leftovers).toEqual([]);
  expect(cleared.notes.join()).toContain('is alive');
  expect(await isThere(home.socket)).toBe(true);
  expect(isAlive({ pid: stray })).toBe(true);
});

test('an agent of a run that outlived its daemon is ended', async () => {
  const { env, home } = await someHome();
  const stray = await strayIn(home, 'abcdefgh2345');
  const { leftovers } = await clearAway({ env, dryRun: false });
  expect(leftovers).toMatchObject([{ kind: 'process', outcome: 'removed' }]);
  expect(leftovers[0]?.what).toContain(`process ${stray}`);
  expect(isAlive({ pid: stray })).toBe(false);
});

test('a process in a workspace is left alone when it is not proven to be an agent of that run, or sits at a terminal', async () => {
  const { env, home } = await someHome();
  const tree = await treeOf(home, 'abcdefgh2345');
  const person = await started(spawn('sleep', ['86400'], { cwd: tree, detached: true, stdio: 'ignore' }));
  const others = { ...process.env, SWITCHYARD_RUN: 'zzzzzzzzzzzz' };
  const other = await started(spawn('sleep', ['86400'], { cwd: tree, detached: true, stdio: 'ignore', env: others }));
  const own = { ...process.env, SWITCHYARD_RUN: 'abcdefgh2345' };
  const byHand = await started(
    spawn('sleep', ['86400'], {
      cwd: tree,
      detached: true,
      stdio: 'ignore',
      env: { ...own, SWITCHYARD_OPENING: 'o1' },
    }),
  );
  const terminal = spawn('script', ['-qec', 'echo up; exec sleep 86400', '/dev/null'], { cwd: tree, env: own });
  onTestFinished(() => void terminal.kill('SIGKILL'));
  await once(terminal.stdout, 'data');
  const { leftovers } = await clearAway({ env, dryRun: false });
  // `script` itself stands outside of the terminal that it makes.
  expect(leftovers.map(({ what }) => what)).toEqual([expect.stringContaining(`process ${terminal.pid}`)]);
  for (const pid of [person, other, byHand]) expect(isAlive({ pid })).toBe(true);
});

test('a scratch folder goes when its maker is dead; those of the living, kept ones and unmarked ones stay', async () => {
  const { env, home } = await someHome();
  const temporary = env['TMPDIR'] ?? '';
  const module = JSON.stringify(join(HERE, '../../lib/scratch-folder.ts'));
  const make = `import(${module}).then(async (m) => console.log((await m.makeScratchFolder(${JSON.stringify(join(temporary, 'switchyard-index-'))})).path))`;
  const [dead = ''] = await killedAfter(make);
  await using living = await makeScratchFolder(join(temporary, 'switchyard-index-'));
  const kept = await makeScratchFolder(join(temporary, 'switchyard-demo-'));
  await kept.keep();
  const unmarked = await mkdtemp(join(temporary, 'switchyard-index-'));
  const foreign = await makeScratchFolder(join(temporary, 'other-'));
  const cleared = await clearAway({ env, dryRun: false });
  expect(cleared.leftovers).toMatchObject([{ kind: 'scratch', what: dead, outcome: 'removed' }]);
  expect(await isThere(dead)).toBe(false);
  for (const path of [living.path, kept.path, unmarked, foreign.path, home.folder])
    expect(await isThere(path)).toBe(true);
});

test('in git stores, what a merge has left there goes when its maker is dead', async () => {
  const { env, home } = await someHome();
  const store = join(home.repositories, 'shop.git');
  await mkdir(store, { recursive: true });
  const module = JSON.stringify(join(HERE, '../../lib/scratch-folder.ts'));
  const made = ['look-ahead-', 'copy-', 'objects-'].map((name) => JSON.stringify(join(store, name)));
  const paths = await killedAfter(
    `import(${module}).then(async (m) => console.log((await Promise.all([${made.join()}].map((path) => m.makeScratchFolder(path)))).map(({ path }) => path).join('\\n')))`,
  );
  const { leftovers } = await clearAway({ env, dryRun: false });
  expect(leftovers.map(({ what }) => what).toSorted()).toEqual([paths[1], paths[0]]);
  expect(await Promise.all(paths.map((path) => isThere(path)))).toEqual([false, false, true]);
});

test('several who clear up at once all find that it went well', async () => {
  const { env } = await someHome();
  const prefix = JSON.stringify(join(env['TMPDIR'] ?? '', 'switchyard-index-'));
  const module = JSON.stringify(join(HERE, '../../lib/scratch-folder.ts'));
  const [dead = ''] = await killedAfter(
    `import(${module}).then(async (m) => console.log((await m.makeScratchFolder(${prefix})).path))`,
  );
  await Promise.all(Array.from({ length: 200 }, (_, n) => writeFile(join(dead, `${n}`), '')));
  const all = await Promise.all(Array.from({ length: 4 }, () => clearAway({ env, dryRun: false })));
  expect(all.map(({ ok }) => ok)).toEqual([true, true, true, true]);
  expect(await isThere(dead)).toBe(false);
});

test('a demo’s folder in which a link leads to another home is kept, and nothing of that home is touched', async () => {
  const { env } = await someHome();
  const { home: real } = await someHome();
  const stray = await strayIn(real, 'abcdefgh2345');
  const temporary = env['TMPDIR'] ?? '';
  const folders = await Promise.all([deadDemo(temporary), deadDemo(temporary)]);
  const [linked, within] = folders;
  await symlink(real.folder, join(linked, 'home'));
  await mkdir(join(within, 'home'));
  await writeFile(join(within, 'home', 'daemon.lock'), '');
  await symlink(real.workspaces, join(within, 'home', 'workspaces'));
  const { leftovers } = await clearAway({ env, dryRun: false });
  expect(leftovers.map(({ what, outcome, why }) => ({ what, outcome, why }))).toEqual(
    folders
      .toSorted()
      .map((what) => ({ what, outcome: 'kept', why: expect.stringContaining('is a link: what it leads to') })),
  );
  expect(isAlive({ pid: stray })).toBe(true);
  for (const path of [...folders, real.workspaces]) expect(await isThere(path)).toBe(true);
});

/** The scratch folder of a demo whose process has ended. */
async function deadDemo(temporary: string): Promise<string> {
  const module = JSON.stringify(join(HERE, '../../lib/scratch-folder.ts'));
  const make = `import(${module}).then(async (m) => console.log((await m.makeScratchFolder(${JSON.stringify(join(temporary, 'switchyard-demo-'))})).path))`;
  const [path = ''] = await killedAfter(make);
  return path;
}

test('a database server whose daemon was killed is stopped, unless somebody uses it', { timeout: 60_000 }, async () => {
  const { env, home } = await someHome();
  const supervisor = JSON.stringify(join(HERE, '../../lib/postgres-supervisor/supervisor.ts'));
  const options = `{ dataFolder: ${JSON.stringify(home.database)}, crashPoint: async () => {}, log: () => {}, signal: new AbortController().signal }`;
  const [line = ''] = await killedAfter(
    `import(${supervisor}).then(async (m) => { const s = await m.startPostgres(${options}); console.log(s.pid + ' ' + s.url) })`,
  );
  const [number = '', url = ''] = line.split(' ');
  const pid = Number(number);
  onTestFinished(() => void (isAlive({ pid }) && sendSignal(pid, 'SIGQUIT')));
  expect(isAlive({ pid })).toBe(true);
  {
    await using user = openDatabase(url, { clock: systemClock });
    await user.query('select 1');
    const { leftovers } = await clearAway({ env, dryRun: false });
    expect(leftovers).toMatchObject([{ kind: 'database', outcome: 'kept', why: expect.stringContaining('uses it') }]);
    expect(isAlive({ pid })).toBe(true);
  }
  expect(await clearAway({ env, dryRun: false })).toMatchObject({
    leftovers: [{ kind: 'database', outcome: 'removed' }],
  });
  expect(isAlive({ pid })).toBe(false);
  expect((await clearAway({ env, dryRun: false })).leftovers).toEqual([]);
});

test('the files of a killed database server go, and the next one starts', { timeout: 60_000 }, async () => {
  const { env, home } = await someHome();
  const { startPostgres } = await import('../../lib/postgres-supervisor/supervisor.ts');
  const start = () =>
    startPostgres({
      dataFolder: home.database,
      crashPoint: () => Promise.resolve(),
      log: () => undefined,
      signal: new AbortController().signal,
    });
  const supervisor = JSON.stringify(join(HERE, '../../lib/postgres-supervisor/supervisor.ts'));
  const options = `{ dataFolder: ${JSON.stringify(home.database)}, crashPoint: async () => {}, log: () => {}, signal: new AbortController().signal }`;
  const [line = ''] = await killedAfter(
    `import(${supervisor}).then(async (m) => { const s = await m.startPostgres(${options}); console.log(s.pid) })`,
  );
  sendSignal(Number(line), 'SIGKILL');
  const file = join(home.database, 'postmaster.pid');
  // Its children end by themselves when they notice; as long as one works in the folder there is no proof.
  const cleared = await waitUntil(
    async () => {
      const result = await clearAway({ env, dryRun: true });
      return result.leftovers.length > 0 ? result : undefined;
    },
    { timeoutMs: 20_000, what: 'the end of all processes of the server' },
  );
  expect(cleared.leftovers).toMatchObject([{ kind: 'database-files', what: expect.stringContaining(file) }]);
  expect(await clearAway({ env, dryRun: false })).toMatchObject({ ok: true, leftovers: [{ outcome: 'removed' }] });
  expect(await isThere(file)).toBe(false);
  await using again = await start();
  expect(isAlive({ pid: again.pid })).toBe(true);
});

test('workspaces of runs that are no more go; of runs that the database or a git store knows they stay', async () => {
  const { env, home } = await someHome();
  await using place = await createTestDatabase();
  await using database = openDatabase(place.url, { clock: systemClock });
  await migrate(database);
  await insertBareRun(database, 'known2345678');
  const store = join(home.repositories, 'shop.git');
  await git(['init', '--quiet', '--bare', store]);
  await git(['-c', 'user.name=A', '-c', 'user.email=a@b', 'commit-tree', '-m', 'x', EMPTY_TREE], { gitDir: store })
    .catch(async () => {
      await git(['hash-object', '-t', 'tree', '-w', '/dev/null'], { gitDir: store });
      return git(['-c', 'user.name=A', '-c', 'user.email=a@b', 'commit-tree', '-m', 'x', EMPTY_TREE], {
        gitDir: store,
      });
    })
    .then((commit) =>
      git(['update-ref', 'refs/switchyard/trash/kept23456789/head', commit.toString().trim()], { gitDir: store }),
    );
  for (const run of ['known2345678', 'kept23456789', 'gone23456789']) await treeOf(home, run);
  const withDatabase = { ...env, DATABASE_URL: place.url };
  // A database that does not know this home's worker proves nothing.
  expect((await clearAway({ env: withDatabase, dryRun: false })).leftovers).toEqual([]);
  await announceWorker(database, {
    id: 'w123',
    machine: 'here',
    pid: 1,
    version: '0',
    started_at: new Date(),
    heartbeat_at: new Date(),
  });
  const cleared = await clearAway({ env: withDatabase, dryRun: false });
  expect(cleared.leftovers).toMatchObject([{ kind: 'workspace', what: join(home.workspaces, 'gone23456789') }]);
  expect(await isThere(join(home.workspaces, 'gone23456789'))).toBe(false);
  for (const run of ['known2345678', 'kept23456789']) expect(await isThere(join(home.workspaces, run))).toBe(true);
});

const EMPTY_TREE = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';

/** A home that a daemon was at work in, unless it was never `used`; the temporary folder is its own, too. */
async function someHome({ used = true } = {}): Promise<{ env: Env; home: Home }> {
  const folder = await mkdtemp(join(tmpdir(), 'leftovers-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  await mkdir(join(folder, 'tmp'));
  const env = { PATH: process.env['PATH'], SWITCHYARD_HOME: join(folder, 'home'), TMPDIR: join(folder, 'tmp') };
  const home = resolveHome(env);
  if (used) {
    for (const path of [home.folder, home.workspaces, home.repositories]) await mkdir(path, { recursive: true });
    await writeFile(join(home.folder, 'worker'), 'w123\n');
    await (await acquireExclusiveLock(home.lock))?.release();
  }
  return { env, home };
}

/** Runs a script until it has written its first line, then kills it; the lines that it wrote. */
async function killedAfter(script: string): Promise<string[]> {
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  child.kill('SIGKILL');
  await once(child, 'exit');
  return said.toString().trim().split('\n');
}

async function treeOf(home: Home, run: string): Promise<string> {
  const tree = join(home.workspaces, run, 'tree');
  await mkdir(tree, { recursive: true });
  return tree;
}

async function strayIn(home: Home, run: string): Promise<number> {
  const cwd = await treeOf(home, run);
  const env = { ...process.env, SWITCHYARD_RUN: run };
  return started(spawn('sleep', ['86400'], { cwd, env, detached: true, stdio: 'ignore' }));
}

async function started(child: ChildProcess): Promise<number> {
  await once(child, 'spawn');
  onTestFinished(() => void child.kill('SIGKILL'));
  return child.pid ?? 0;
}
