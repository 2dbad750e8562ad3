import { createHash } from 'node:crypto';
import { homedir, tmpdir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';

/** Where everything of one SWITCHYARD_HOME lies. Naming a path makes nothing. */
export interface Home {
  readonly folder: string;
  readonly config: string;
  /** Which secrets there are, and their values where no keyring has them. */
  readonly secrets: string;
  readonly database: string;
  readonly socket: string;
  readonly log: string;
  readonly lock: string;
  /** There from when the daemon was told to stop until one is started again. */
  readonly stopped: string;
  readonly repositories: string;
  readonly bases: string;
  readonly workspaces: string;
  readonly blobs: string;
  /** The ways out of sandboxes that are at work. */
  readonly sockets: string;
  /** What walls are made of while they stand. */
  readonly walls: string;
}

/** A unix socket's path has 108 bytes on Linux and 104 on macOS, the closing zero included. */
const SOCKET_LIMIT = 100;

/**
 * `SWITCHYARD_HOME`, else `$XDG_STATE_HOME/switchyard`, else `~/.local/state/switchyard`. The socket goes to `$XDG_RUNTIME_DIR` (else
 * a folder of this user in the temporary one) when its path in the home would exceed 100 bytes.
 */
export function resolveHome(env: Readonly<Record<string, string | undefined>>): Home {
  const state = env['XDG_STATE_HOME'] ?? join(env['HOME'] ?? homedir(), '.local', 'state');
  const folder = resolve(env['SWITCHYARD_HOME'] || join(state, 'switchyard'));
  return {
    folder,
    config: join(folder, 'config.yaml'),
    secrets: join(folder, 'secrets.json'),
    database: join(folder, 'pg'),
    socket: shortEnough(join(folder, 'daemon.sock'), folder, env),
    log: join(folder, 'daemon.log'),
    lock: join(folder, 'daemon.lock'),
    stopped: join(folder, 'daemon.stopped'),
    repositories: join(folder, 'repos'),
    bases: join(folder, 'bases'),
    workspaces: join(folder, 'workspaces'),
    blobs: join(folder, 'blobs'),
    sockets: join(folder, 'sockets'),
    walls: join(folder, 'walls'),
  };
}

function shortEnough(path: string, folder: string, env: Readonly<Record<string, string | undefined>>): string {
  if (Buffer.byteLength(path) <= SOCKET_LIMIT) return path;
  const name = createHash('sha256').update(folder).digest('hex').slice(0, 16);
  const runtime = env['XDG_RUNTIME_DIR'];
  return runtime !== undefined && runtime !== ''
    ? join(runtime, `switchyard-${name}.sock`)
    : join(tmpdir(), `switchyard-${userInfo().uid}`, `${name}.sock`);
}
