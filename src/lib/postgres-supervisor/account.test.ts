import { chmod, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkoutIsPublic } from '../../testing/readable-by-all.ts';
import { chooseAccount } from './account.ts';
import { resolveBinaries } from './binaries.ts';
import { clusterVersion, initialise } from './initialise.ts';
import { spawnServer, stopServer } from './process.ts';
import { makeSocketFolder } from './socket-folder.ts';

const root = process.getuid?.() === 0;
const asRoot = root ? test : test.skip;
const asOrdinaryUser = root ? test.skip : test;
const postgres = root && (await execa('id', ['-u', 'postgres'], { reject: false })).exitCode === 0;
const asRootBesidePostgres = postgres && checkoutIsPublic ? test : test.skip;

const { signal } = new AbortController();
let home: string;
let dataFolder: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'account-'));
  dataFolder = join(home, 'pg');
});

afterEach(() => rm(home, { recursive: true }));

asOrdinaryUser('an ordinary user needs nothing', async () => {
  expect(await chooseAccount({ dataFolder, program: '/bin/sh', signal })).toEqual({ prefix: [] });
});

asRoot('root gets a user namespace, in which it is somebody with a name', async () => {
  const { prefix, ids } = await chooseAccount({ dataFolder, program: '/bin/sh', signal });
  expect(ids).toBeUndefined();
  const [command = '', ...args] = prefix;
  expect((await execa(command, [...args, 'id', '-u'])).stdout).not.toBe('0');
  expect((await execa(command, [...args, 'id', '-un'])).stdout).not.toBe('');
});

asRoot('root that has no way is told what to do', async () => {
  // Not even a user "postgres" could enter this folder.
  await chmod(home, 0o700);
  const choosing = chooseAccount({ dataFolder, program: '/bin/sh', signal, namespaces: false });
  await expect(choosing).rejects.toMatchObject({
    code: 'database/cannot-run-as-root',
    hint: expect.stringContaining('DATABASE_URL'),
  });
});

asRootBesidePostgres('without namespaces, root lends the server the user "postgres"', async () => {
  await chmod(home, 0o755);
  const binaries = await resolveBinaries(home);
  const account = await chooseAccount({ dataFolder, program: binaries.postgres, signal, namespaces: false });
  await initialise({ dataFolder, binaries, account, signal });
  expect(await clusterVersion(dataFolder)).toBe(binaries.major);
  // And so the next time.
  expect(await chooseAccount({ dataFolder, program: binaries.postgres, signal })).toEqual(account);
  const socketFolder = await makeSocketFolder(join(home, 'socket'), account);
  const logFile = join(home, 'pg.log');
  const server = await spawnServer({ binaries, account, dataFolder, socketFolder, logFile, signal });
  expect((await stat(`/proc/${server.identity.pid}`)).uid).toBe(account.ids?.uid);
  await stopServer(server);
});
