import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { noCrashPoint } from '../../lib/crash-point.ts';
import { git } from '../../lib/git/git.ts';
import type { Home } from '../../lib/home.ts';
import { unmountBelow } from '../../lib/mounts.ts';
import { askDatabase } from '../../lib/postgres-supervisor/ask.ts';
import { leftServer } from '../../lib/postgres-supervisor/leftovers.ts';
import { startPostgres } from '../../lib/postgres-supervisor/supervisor.ts';
import type { Leftover } from './leftover.ts';
import type { Env } from './report.ts';

/** Run ids as they are given. */
const RUN = /^[a-z0-9]{8,32}$/;

/**
 * Workspaces of runs that are no more: neither the database that this home's worker works with knows the run, nor does any git store
 * have a ref of it. Where that database cannot be asked, there is no proof, and nothing is found. The caller holds the home's lock.
 */
export async function leftWorkspaces(home: Home, env: Env): Promise<Leftover[]> {
  const names = (await readdir(home.workspaces).catch(() => [])).filter((name) => RUN.test(name));
  const candidates = await withoutRefs(home, names);
  if (candidates.length === 0) return [];
  const unknown = await unknownTo(home, env, candidates);
  return unknown.map((run) => ({
    kind: 'workspace' as const,
    what: join(home.workspaces, run),
    proof: `the database, which knows this worker, has no run ${run}, and no git store has a ref of it`,
    async remove() {
      if ((await withoutRefs(home, [run])).length === 0) return 'a git store has refs of that run now';
      await unmountBelow(join(home.workspaces, run));
      await rm(join(home.workspaces, run), { recursive: true, force: true, maxRetries: 5 });
      return undefined;
    },
  }));
}

async function withoutRefs(home: Home, runs: readonly string[]): Promise<string[]> {
  if (runs.length === 0) return [];
  const stores = (await readdir(home.repositories).catch(() => [])).filter((name) => name.endsWith('.git'));
  const refs = await Promise.all(
    stores.map((name) =>
      git(['for-each-ref', '--format=%(refname)', 'refs/switchyard/'], { gitDir: join(home.repositories, name) }),
    ),
  );
  const named = new Set(
    refs.flatMap((text) =>
      text
        .toString()
        .split('\n')
        .map((ref) => ref.split('/')[3]),
    ),
  );
  return runs.filter((run) => !named.has(run));
}

/** Those of the runs that the home's database does not know; none where it cannot be asked, or does not know this home's worker. */
async function unknownTo(home: Home, env: Env, runs: readonly string[]): Promise<string[]> {
  const worker = (await readFile(join(home.folder, 'worker'), 'utf8').catch(() => '')).trim();
  await using database = await reach(home, env);
  if (worker === '' || database === undefined) return [];
  try {
    const ask = <Row extends object>(text: string, value: unknown) =>
      askDatabase<Row>(database.url, { text, values: [value] }, 5_000);
    if ((await ask('select 1 from switchyard.worker where id = $1', worker)).length === 0) return [];
    const known = await ask<{ id: string }>('select id from switchyard.run where id = any($1)', runs);
    return runs.filter((run) => !known.some(({ id }) => id === run));
  } catch {
    return []; // it cannot be asked
  }
}

interface Reached extends AsyncDisposable {
  readonly url: string;
}

/** The database of this home: one that runs is left as it is, one that does not is started for the question. */
async function reach(home: Home, env: Env): Promise<Reached | undefined> {
  const external = env['DATABASE_URL'];
  if (external !== undefined && external !== '') return leftAlone(external);
  const running = await leftServer(home.database);
  if (running !== undefined) return leftAlone(running.url);
  const isThere = await readFile(join(home.database, 'PG_VERSION')).then(
    () => true,
    () => false,
  );
  if (!isThere) return undefined;
  return startPostgres({
    dataFolder: home.database,
    crashPoint: noCrashPoint,
    log: () => undefined,
    signal: new AbortController().signal,
  });
}

function leftAlone(url: string): Reached {
  return { url, [Symbol.asyncDispose]: () => Promise.resolve() };
}
