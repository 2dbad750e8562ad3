import { readFile, stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';
import { execa } from 'execa';
import { SwitchyardError } from '../error.ts';

/**
 * As whom PostgreSQL runs. It refuses root, and its initdb wants a user with a name; so for root, and for a user
 * without a name (as in some containers), it runs in a user namespace where the same user carries another number. Where
 * there are no such namespaces, root lends it the user `postgres`.
 */
export interface Account {
  /** The words that come before the program. */
  readonly prefix: readonly string[];
  /** Whom the server's folders must belong to, and as whom it is spawned; undefined: the user of this process. */
  readonly ids?: { readonly uid: number; readonly gid: number };
}

export interface AccountFacts {
  readonly dataFolder: string;
  /** A program that the account must be able to reach. */
  readonly program: string;
  readonly signal: AbortSignal;
  /** Whether user namespaces may be used; tests say no. */
  readonly namespaces?: boolean;
}

/** Throws `database/cannot-run-as-root` when there is no way for this root. */
export async function chooseAccount(facts: AccountFacts): Promise<Account> {
  const uid = process.getuid?.();
  if (uid === undefined || (uid !== 0 && hasName())) return { prefix: [] };
  // A folder that another user's server made goes on as that user's.
  const owner = uid === 0 ? await ownerOf(facts.dataFolder) : undefined;
  if (owner && owner.uid !== 0) return { prefix: [], ids: owner };
  const account =
    (facts.namespaces === false ? undefined : await namespaced(facts.signal)) ??
    (uid === 0 && !owner ? await postgresUser(facts) : undefined);
  if (account) return account;
  // initdb will say what it lacks; a cluster that exists is started without a name, too.
  if (uid !== 0) return { prefix: [] };
  throw new SwitchyardError({
    code: 'database/cannot-run-as-root',
    message:
      'PostgreSQL does not run as root, and here it can run neither in a user namespace nor as the user "postgres"',
    hint: 'Run Switchyard as an ordinary user, or set DATABASE_URL to a PostgreSQL of your own.',
  });
}

async function namespaced(signal: AbortSignal): Promise<Account | undefined> {
  const id = await someNamedUser();
  if (id === undefined) return undefined;
  const prefix = ['unshare', '--user', `--map-user=${id}`, `--map-group=${id}`, '--'];
  return (await succeeds([...prefix, 'true'], signal)) ? { prefix } : undefined;
}

/** Any number with a name will do: inside the namespace it is only another name for the user of this process. */
async function someNamedUser(): Promise<number | undefined> {
  const lines = (await readFile('/etc/passwd', 'utf8').catch(() => '')).split('\n');
  const ids = lines.map((line) => Number.parseInt(line.split(':')[2] ?? '', 10));
  return ids.find((id) => id > 0);
}

async function postgresUser({ dataFolder, program, signal }: AccountFacts): Promise<Account | undefined> {
  const [uid, gid] = await Promise.all([idOf('-u', signal), idOf('-g', signal)]);
  if (!uid || !gid) return undefined;
  const ids = { uid, gid };
  const reaches = ['sh', '-c', 'test -x "$1" && test -x "$2"', 'sh', dirname(dataFolder), program];
  return (await succeeds(reaches, signal, ids)) ? { prefix: [], ids } : undefined;
}

async function idOf(flag: '-u' | '-g', signal: AbortSignal): Promise<number | undefined> {
  const { stdout } = await execa('id', [flag, 'postgres'], { reject: false, cancelSignal: signal });
  const id = Number.parseInt(stdout, 10);
  return Number.isNaN(id) ? undefined : id;
}

async function succeeds(
  [command = '', ...args]: readonly string[],
  signal: AbortSignal,
  ids?: Account['ids'],
): Promise<boolean> {
  const { exitCode } = await execa(command, args, { reject: false, cancelSignal: signal, cwd: '/', ...ids });
  signal.throwIfAborted();
  return exitCode === 0;
}

async function ownerOf(path: string): Promise<{ uid: number; gid: number } | undefined> {
  try {
    const { uid, gid } = await stat(path);
    return { uid, gid };
  } catch {
    // Not there yet.
    return undefined;
  }
}

function hasName(): boolean {
  try {
    userInfo();
    return true;
  } catch {
    return false;
  }
}
