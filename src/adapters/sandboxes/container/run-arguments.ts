import type { ResourceLimits } from '../../../domain/sandbox.ts';
import { openFilesFor } from '../../../lib/resources/open-files.ts';
import type { Enclosure, Mount } from '../../../ports/sandbox.ts';
import type { Engine } from './engine.ts';
import { visibleMounts } from './mounts.ts';

/** Where the container finds the folder in which it talks with the harness. */
export const TALK = '/run/switchyard';

export interface ContainerToRun {
  readonly name: string;
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly user: { readonly uid: number; readonly gid: number };
  readonly enclosure: Pick<Enclosure, 'mounts' | 'network' | 'limits'>;
  /** The folder on the host that is `TALK` inside. */
  readonly talk: string;
  readonly hasTerminal: boolean;
  readonly argv: readonly string[];
}

/** The engine's arguments that run a program in a container: everything that the walls are made of is in this list. */
export function runArguments(engine: Engine, container: ContainerToRun): string[] {
  const { name, image, labels, user, enclosure, hasTerminal } = container;
  const { mounts, network, limits } = enclosure;
  const talk: Mount = { host: container.talk, inside: TALK, writable: false };
  const all = [...visibleMounts(mounts), talk];
  const places = mounts.map(({ inside }) => inside);
  return [
    engine.options,
    ['run', '--interactive', ...(hasTerminal ? ['--tty'] : [])],
    // The docker command loses the program's code with it where podman answers.
    engine.kind === 'podman' ? ['--rm'] : [],
    ['--name', name, '--hostname', 'workspace', '--pull', 'never'],
    Object.entries(labels).flatMap(([key, value]) => ['--label', `${key}=${value}`]),
    ['--network', network.kind === 'open' ? 'host' : 'none'],
    ['--user', `${user.uid}:${user.gid}`, '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges'],
    // Without it hosts with SELinux refuse the folders that are mounted, or would have them all labelled anew.
    ['--security-opt', 'label=disable'],
    ['--read-only', '--log-driver', 'none', '--no-healthcheck'],
    all.flatMap((mount) => ['--mount', bind(mount)]),
    TEMPORARY.filter((folder) => !places.includes(folder)).flatMap((folder) => ['--tmpfs', `${folder}:${WRITABLE}`]),
    limitArguments(limits),
    engine.kind === 'podman' ? forPodman(container.talk) : [],
    engine.containerOptions,
    ['--workdir', '/', '--entrypoint', '/bin/sh', image, `${TALK}/entry`],
    container.argv,
  ].flat();
}

/** Where programs may write though the image is read-only. */
const TEMPORARY = ['/tmp', '/var/tmp'];
const WRITABLE = 'rw,exec,mode=1777';

/** Where podman writes the number of the container's first process. */
export const PID_FILE = 'pid';

function forPodman(talk: string): string[] {
  // Folders that an image calls volumes would be writable, and nobody would count what is in them.
  const quiet = ['--http-proxy=false', '--read-only-tmpfs=false', '--image-volume', 'ignore'];
  const own = [...quiet, '--pidfile', `${talk}/${PID_FILE}`];
  const isRootless = process.geteuid?.() !== 0;
  return isRootless ? [...own, '--userns', 'keep-id'] : own;
}

/** What is not bounded here is said to be unbounded, since engines have bounds of their own. */
function limitArguments(limits: ResourceLimits): string[] {
  const { memory, cpus, processes } = limits;
  const { soft, hard } = openFilesFor(limits);
  return [
    ...(memory === undefined ? [] : ['--memory', `${memory}b`, '--memory-swap', `${memory}b`]),
    ...(cpus === undefined ? [] : ['--cpus', `${cpus}`]),
    '--pids-limit',
    `${processes ?? -1}`,
    '--ulimit',
    `nofile=${soft}:${hard}`,
  ];
}

/** The fields are a line of comma-separated values, with that format's own quoting. */
function bind({ host, inside, writable }: Mount): string {
  const fields = ['type=bind', `src=${host}`, `dst=${inside}`, ...(writable ? [] : ['readonly'])];
  return fields.map((field) => (/[,"\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)).join(',');
}
