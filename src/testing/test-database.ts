import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { inject } from 'vitest';
import type { TestProject } from 'vitest/node';
import { noCrashPoint } from '../lib/crash-point.ts';
import { SwitchyardError } from '../lib/error.ts';
import { findServer, stopServer } from '../lib/postgres-supervisor/process.ts';
import { startPostgres } from '../lib/postgres-supervisor/supervisor.ts';
import { waitUntil } from '../lib/wait-until.ts';

/**
 * Real PostgreSQL for tests: one server for a whole run of vitest, started by the first test file that asks for it, and in it a
 * database of its own for whoever wants one. As vitest's `globalSetup` this module makes the place and ends the server.
 */

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder of the server of this run of tests. */
    testDatabase: string;
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  await removeAbandoned();
  const place = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`));
  project.provide('testDatabase', place);
  return () => remove(place);
}

const PREFIX = 'switchyard-test-database-';

/** Runs of tests that were killed could not end their servers. */
async function removeAbandoned(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const owner = name.startsWith(PREFIX) ? Number.parseInt(name.slice(PREFIX.length), 10) : Number.NaN;
    // What cannot be removed is somebody else's.
    if (!Number.isNaN(owner) && !isThere(owner)) await remove(join(tmpdir(), name)).catch(() => undefined);
  }
}

/** A server that was started outlives the processes of the test files. */
async function remove(place: string): Promise<void> {
  const server = await findServer(join(place, 'pg'), AbortSignal.timeout(30_000));
  if (server !== undefined) await stopServer(server);
  await rm(place, { recursive: true, force: true, maxRetries: 20 });
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** A new, empty database; dropped with whatever is connected to it when disposed. */
export interface TestDatabase extends AsyncDisposable {
  readonly url: string;
  /** One statement over a connection of its own, as a person with psql would send it. */
  query<Row extends object = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<Row[]>;
}

export async function createTestDatabase(): Promise<TestDatabase> {
  const server = await serverUrl();
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await queryOnce(server, `create database ${name}`);
  const url = server.replace('/switchyard?', `/${name}?`);
  return {
    url,
    query: (text, values) => queryOnce(url, text, values),
    [Symbol.asyncDispose]: async () => void (await queryOnce(server, `drop database if exists ${name} with (force)`)),
  };
}

/** A statement over a connection that is made for it and closed again. */
export async function queryOnce<Row extends object>(
  url: string,
  text: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined); // the statement itself rejects
  await client.connect();
  try {
    return (await client.query<Row>(text, [...values])).rows;
  } finally {
    await client.end();
  }
}

/** The test files run in processes beside each other: the first one starts the server, the others wait for it. */
async function serverUrl(): Promise<string> {
  const place = inject('testDatabase');
  return waitUntil(async () => (await readUrl(place)) ?? startUnlessAnother(place), {
    timeoutMs: 30_000,
    what: 'a database server for tests',
  });
}

async function startUnlessAnother(place: string): Promise<string | undefined> {
  try {
    const { url } = await start(place);
    await writeFile(join(place, 'url.new'), url);
    await rename(join(place, 'url.new'), join(place, 'url'));
    return url;
  } catch (error) {
    if (error instanceof SwitchyardError && error.code === 'database/in-use') return undefined;
    throw error;
  }
}

const start = (place: string) =>
  startPostgres({
    dataFolder: join(place, 'pg'),
    crashPoint: noCrashPoint,
    log: () => undefined,
    signal: new AbortController().signal,
  });

async function readUrl(place: string): Promise<string | undefined> {
  return readFile(join(place, 'url'), 'utf8').catch(() => undefined);
}
