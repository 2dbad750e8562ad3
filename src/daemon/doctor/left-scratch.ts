import { lstat, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createClient } from '../../api/client.ts';
import { acquireExclusiveLock, type ExclusiveLock } from '../../lib/exclusive-lock.ts';
import { type Home, resolveHome } from '../../lib/home.ts';
import { isThere } from '../../lib/is-there.ts';
import { unmountBelow } from '../../lib/mounts.ts';
import { deadOwnerOf } from '../../lib/scratch-folder.ts';
import { waitUntil } from '../../lib/wait-until.ts';
import { leftInHome } from './left-in-home.ts';
import type { Leftover } from './leftover.ts';
import type { Env } from './report.ts';

const STOP_MS = 30_000;
const GONE_MS = 5_000;

/** Scratch folders that carry our mark and whose maker has ended: of this user in the temporary folder, and in the home's git stores. */
export async function leftScratch(home: Home, env: Env): Promise<Leftover[]> {
  const stores = (await namesIn(home.repositories)).filter((name) => name.endsWith('.git'));
  const inStores = await Promise.all(stores.map((name) => scratchIn(join(home.repositories, name))));
  const candidates = [...(await pathsIn(env['TMPDIR'] ?? tmpdir(), 'switchyard-')), ...inStores.flat()];
  const found = await Promise.all(candidates.map(async (path) => ({ path, owner: await deadOwnerOf(path) })));
  return found.flatMap(({ path, owner }) =>
    owner === undefined
      ? []
      : [
          {
            kind: 'scratch' as const,
            what: path,
            proof: `it bears our mark, and process ${owner}, which made it, has ended`,
            remove: () => remove(path, env),
          },
        ],
  );
}

/** What a merge has judged a checkout with, and objects on their way from one repository to another. */
async function scratchIn(store: string): Promise<string[]> {
  return [...(await pathsIn(store, 'look-ahead-')), ...(await pathsIn(store, 'copy-'))];
}

/** That of a demo has a home, and perhaps a daemon, which was to end with the demo. */
async function remove(path: string, env: Env): Promise<string | undefined> {
  if ((await deadOwnerOf(path)) === undefined) return goesAway(path);
  if (basename(path).startsWith('switchyard-demo-')) {
    const linked = await linkIn(join(path, 'home'));
    if (linked !== undefined) return `${linked} is a link: what it leads to is not the demo’s`;
    const home = resolveHome({ ...env, SWITCHYARD_HOME: join(path, 'home') });
    await using lock = await stopped(home);
    if (lock === undefined && (await namesIn(home.folder)).includes(basename(home.lock)))
      return 'the daemon of that demo does not stop';
    for (const leftover of await leftInHome(home)) {
      const kept = await leftover.remove();
      if (kept !== undefined) return `${leftover.what}: ${kept}`;
    }
  }
  await unmountBelow(path);
  await rm(path, { recursive: true, force: true, maxRetries: 3 });
  return undefined;
}

/** Undefined once it is gone: whoever else clears up has found it as well, and its mark goes before it does. */
async function goesAway(path: string): Promise<string | undefined> {
  const isGone = async () => !(await isThere(path));
  return waitUntil(isGone, { timeoutMs: GONE_MS, everyMs: 50 }).then(
    () => undefined,
    () => 'it is somebody’s now',
  );
}

/** A link in place of a home, or of anything directly in it: the demo makes none. */
async function linkIn(home: string): Promise<string | undefined> {
  for (const path of [home, ...(await pathsIn(home, ''))]) {
    if ((await lstat(path).catch(() => undefined))?.isSymbolicLink() === true) return path;
  }
  return undefined;
}

/** The lock of a home, once its daemon has stopped; undefined where there never was one, or where it goes on. */
async function stopped(home: Home): Promise<ExclusiveLock | undefined> {
  if (!(await namesIn(home.folder)).includes(basename(home.lock))) return undefined;
  const lock = await acquireExclusiveLock(home.lock);
  if (lock !== undefined) return lock;
  await createClient({ socket: home.socket })
    .call('stop', {})
    .catch(() => undefined); // what matters is whether it ends
  return waitUntil(() => acquireExclusiveLock(home.lock), { timeoutMs: STOP_MS, everyMs: 100 }).catch(() => undefined);
}

async function pathsIn(folder: string, prefix: string): Promise<string[]> {
  return (await namesIn(folder)).filter((name) => name.startsWith(prefix)).map((name) => join(folder, name));
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
