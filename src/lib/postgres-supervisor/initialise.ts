import { randomUUID } from 'node:crypto';
import { chown, mkdir, open, readdir, readFile, rename, rm, statfs } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { execa, type Options } from 'execa';
import { messageOf, SwitchyardError } from '../error.ts';
import type { Account } from './account.ts';
import type { Binaries } from './binaries.ts';

/** The one role (superuser) and the one database of a cluster. */
export const ROLE = 'switchyard';
export const DATABASE = 'switchyard';

/** A new cluster takes 40 MB; the rest is for the first segments of its log. */
const ROOM_NEEDED = 80 * 2 ** 20;

export interface InitialiseOptions {
  readonly dataFolder: string;
  readonly binaries: Binaries;
  readonly account: Account;
  readonly signal: AbortSignal;
}

/** What the server's programs see of our environment: nothing that could change how they work. */
export function serverEnvironment(): Record<string, string> {
  const { PATH = '/usr/local/bin:/usr/bin:/bin' } = process.env;
  return { PATH, LC_ALL: 'C', TZ: 'UTC' };
}

/** The major version of the cluster in the folder; undefined when the folder is absent or empty. */
export async function clusterVersion(dataFolder: string): Promise<string | undefined> {
  try {
    return (await readFile(join(dataFolder, 'PG_VERSION'), 'utf8')).trim();
  } catch (cause) {
    if ((await entriesOf(dataFolder)).length === 0) return undefined;
    throw new SwitchyardError({
      code: 'database/not-a-cluster',
      message: `${dataFolder} holds files but no PostgreSQL data that can be read: ${messageOf(cause)}`,
      hint: 'Move what is in that folder elsewhere, or name another folder.',
      cause,
    });
  }
}

/**
 * Makes a cluster with one database, durably. It is made beside `dataFolder` and gets that name when it is complete, so
 * a folder of that name is never half-made; halves that earlier deaths left are removed. The caller holds the lock on
 * the folder. Throws `database/disk-full` or `database/cannot-initialise`, and the signal's reason; then nothing is
 * left.
 */
export async function initialise({ dataFolder, binaries, account, signal }: InitialiseOptions): Promise<void> {
  await removeHalves(dataFolder);
  await requireRoom(dataFolder);
  const half = `${halfPrefix(dataFolder)}${randomUUID().slice(0, 8)}`;
  try {
    await mkdir(half, { mode: 0o700 });
    if (account.ids) await chown(half, account.ids.uid, account.ids.gid);
    await run(account, [binaries.initdb, ...initdbArguments(half)], { signal });
    // A cluster is born with one empty database for general use; to rename it is quicker than to make a second one.
    const statement = `alter database postgres rename to ${DATABASE}`;
    const single = ['--single', '-D', half, '-c', 'exit_on_error=on', '-c', 'log_checkpoints=off', 'template1'];
    await run(account, [binaries.postgres, ...single], { signal, input: `${statement};\n` });
    await rename(half, dataFolder);
    await syncFolder(dirname(dataFolder));
  } catch (error) {
    await rm(half, { recursive: true, force: true, maxRetries: 3 });
    signal.throwIfAborted();
    if (error instanceof SwitchyardError) throw error;
    throw new SwitchyardError({
      code: 'database/cannot-initialise',
      message: `cannot make a database in ${dataFolder}: ${messageOf(error)}`,
      hint: 'Its folder must be on a local disk with room to write.',
      cause: error,
    });
  }
}

/** The locale is PostgreSQL's own C.UTF-8: the same on every system, so an index outlives an upgrade of the C library. */
function initdbArguments(folder: string): string[] {
  const locale = ['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C', '--encoding=UTF8'];
  return ['-D', folder, `--username=${ROLE}`, '--auth=trust', '--no-instructions', ...locale];
}

async function run(
  { prefix, ids }: Account,
  words: readonly string[],
  { signal, input }: { signal: AbortSignal; input?: string },
): Promise<void> {
  const [command = '', ...args] = [...prefix, ...words];
  const options: Options = { cwd: '/', env: serverEnvironment(), extendEnv: false, all: true, cancelSignal: signal };
  const stdin: Options = input === undefined ? { stdin: 'ignore' } : { input };
  const result = await execa(command, args, { ...options, ...stdin, ...ids, reject: false });
  signal.throwIfAborted();
  if (result.failed) {
    const said = String(result.all ?? '')
      .trim()
      .split('\n')
      .slice(-6)
      .join('\n');
    throw new Error(`${basename(words[0] ?? '')} failed${said === '' ? `: ${result.shortMessage}` : `:\n${said}`}`);
  }
}

function halfPrefix(dataFolder: string): string {
  return `${dataFolder}.half-made-`;
}

async function removeHalves(dataFolder: string): Promise<void> {
  const prefix = basename(halfPrefix(dataFolder));
  const halves = (await entriesOf(dirname(dataFolder))).filter((name) => name.startsWith(prefix));
  for (const name of halves) {
    // An initdb whose parent was killed may still be writing there. What cannot be removed now, the next start removes.
    await rm(join(dirname(dataFolder), name), { recursive: true, force: true, maxRetries: 3 }).catch(() => undefined);
  }
}

async function requireRoom(dataFolder: string): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(dataFolder));
  const room = bavail * bsize;
  if (room >= ROOM_NEEDED) return;
  const megabytes = (bytes: number) => `${Math.floor(bytes / 2 ** 20)} MB`;
  throw new SwitchyardError({
    code: 'database/disk-full',
    message: `no room for a database in ${dirname(dataFolder)}: ${megabytes(room)} free, ${megabytes(ROOM_NEEDED)} needed`,
    hint: 'Free some space on that disk, or choose a folder on another one.',
    retry: 'backoff',
  });
}

async function entriesOf(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

/** So that the rename survives a loss of power. */
async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, 'r');
  await handle.sync();
}
