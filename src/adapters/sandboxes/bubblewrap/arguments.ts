import { isWithin } from '../../../lib/is-within.ts';
import type { NetworkAccess } from '../../../ports/sandbox.ts';
import { HOSTNAME } from './accounts.ts';
import { argumentsOf, type Part } from './part.ts';

/** Descriptors of bubblewrap: it reports on the first and is let go on by a line on it, and reads the others. */
export const DESCRIPTORS = { status: 3, arguments: 4, filter: 5 } as const;

/** Where the bridge finds its sockets. */
const BRIDGE_FOLDER = '/run/switchyard';

export interface Layers {
  /** The system's own files, and what of /proc is covered. */
  readonly system: readonly Part[];
  readonly proc: readonly Part[];
  /** Programs elsewhere, and what they read. */
  readonly programs: readonly Part[];
  /** The enclosure's. */
  readonly mounts: readonly Part[];
  /** What has its own place where a mount lies. */
  readonly over: readonly Part[];
}

export interface Walled {
  readonly layers: Layers;
  readonly network: NetworkAccess;
  /** The program's, as it sees it. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly hasFilter: boolean;
}

/** Everything that bubblewrap is told but the program itself: read from a descriptor, since its command line can be seen by programs. */
export function bubblewrapArguments({ layers, network, env, cwd, hasFilter }: Walled): string[] {
  const { system, proc, programs, mounts, over } = layers;
  const bridges = network.kind === 'bridged' ? network.bridges : [];
  const places = [...system, ...programs, ...mounts, ...over];
  const lines = [
    NAMESPACES,
    network.kind === 'open' ? [] : ['--unshare-net'],
    ['--uid', String(process.getuid?.() ?? 0), '--gid', String(process.getgid?.() ?? 0)],
    ['--hostname', HOSTNAME, '--cap-drop', 'ALL', '--die-with-parent'],
    hasFilter ? ['--seccomp', String(DESCRIPTORS.filter)] : [],
    system.flatMap(argumentsOf),
    ['--proc', '/proc'],
    proc.flatMap(argumentsOf),
    ['--dev', '/dev'],
    OWN.flatMap((folder) => ['--dir', folder]),
    ['--symlink', '../run', '/var/run'],
    [...programs, ...mounts, ...over].flatMap(argumentsOf),
    bridges.flatMap(({ socket }, index) => ['--bind', socket, socketInside(index)]),
    // A folder that nothing shows is there all the same, empty: programs are started in it, or call it their HOME.
    [...new Set([env['HOME'], cwd])].flatMap((folder) =>
      folder === undefined || isThere(folder, places) ? [] : ['--dir', folder],
    ),
    ['--clearenv'],
    Object.entries(env).flatMap(([name, value]) => ['--setenv', name, value]),
    ['--chdir', cwd],
  ];
  return lines.flat();
}

/** Loopback ports and where, within the walls, the sockets lie that they lead to. */
export function bridgeWays(network: NetworkAccess): string[] {
  const bridges = network.kind === 'bridged' ? network.bridges : [];
  return bridges.flatMap(({ port }, index) => [String(port), socketInside(index)]);
}

function socketInside(index: number): string {
  return `${BRIDGE_FOLDER}/${index}.sock`;
}

function isThere(folder: string, places: readonly Part[]): boolean {
  if (!folder.startsWith('/') || folder === '/' || ALWAYS.includes(folder)) return true;
  return places.some((part) => isWithin(folder, part.inside) || isWithin(part.inside, folder));
}

const NAMESPACES = ['--unshare-user', '--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try'];

/** Folders of the program's own where no mount takes their place: in memory, as the root folder is, and gone with it. */
const OWN = ['/run', '/var', '/var/tmp', '/home', '/root', '/tmp'];
const ALWAYS = [...OWN, '/etc', '/dev', '/dev/shm', '/proc'];
