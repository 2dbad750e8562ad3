import {
  ARCHITECTURE,
  allow,
  argument,
  assemble,
  CALL,
  ifAnyBit,
  ifAtLeast,
  ifEqual,
  ifNotEqual,
  load,
  type Piece,
  refuse,
} from './assemble.ts';
import { ARCHITECTURES, type Architecture, type Call } from './calls.ts';

/**
 * The filter over the kernel's calls, as the bytes that bubblewrap loads; undefined for an architecture whose calls are not known here.
 * It refuses what nobody who builds and tests software needs and what has let programs out of walls before: each refused call fails as
 * if this user might not, and the program goes on. Everything else is allowed, debuggers' calls included.
 */
export function seccompFilter(architecture: string): Buffer | undefined {
  const known = ARCHITECTURES[architecture];
  return known === undefined ? undefined : assemble(rulesFor(known));
}

const EPERM = 1;
const ENOSYS = 38;
const EAFNOSUPPORT = 97;

function rulesFor({ audit, foreignFrom, calls }: Architecture): Piece[] {
  const on = (call: Call, then: Piece): Piece => {
    const number = calls[call];
    return number === undefined ? [] : ifEqual(number, then);
  };
  return [
    load(ARCHITECTURE),
    ifNotEqual(audit, refuse(ENOSYS)),
    load(CALL),
    foreignFrom === undefined ? [] : ifAtLeast(foreignFrom, refuse(ENOSYS)),
    ...NEVER.map((call) => on(call, refuse(EPERM))),
    // Its flags lie in memory, where no filter can look; libraries that find it missing use `clone`.
    on('clone3', refuse(ENOSYS)),
    on('clone', [...load(argument(0)), ...ifAnyBit(NAMESPACES, refuse(EPERM)), ...allow]),
    on('unshare', [...load(argument(0)), ...ifAnyBit(NAMESPACES | TIME_NAMESPACE, refuse(EPERM)), ...allow]),
    on('ioctl', [...load(argument(1)), ...anyOf(TERMINAL_INPUT, refuse(EPERM)), ...allow]),
    on('personality', [...load(argument(0)), ...anyOf(PERSONALITIES, allow), ...refuse(EPERM)]),
    on('socket', ONLY_KNOWN_SOCKETS),
    on('socketpair', ONLY_KNOWN_SOCKETS),
    allow,
  ];
}

function anyOf(values: readonly number[], then: Piece): Piece {
  return values.flatMap((value) => ifEqual(value, then));
}

const NEVER: readonly Call[] = [
  // Keys of the kernel's own keyrings, which no namespace holds apart.
  ...(['keyctl', 'add_key', 'request_key'] as const),
  // Programs in the kernel, and ways into its memory that flaws were found in again and again.
  ...(['bpf', 'perf_event_open', 'userfaultfd'] as const),
  ...(['io_uring_setup', 'io_uring_enter', 'io_uring_register'] as const),
  ...(['kexec_load', 'kexec_file_load', 'create_module', 'init_module', 'finit_module', 'delete_module'] as const),
  // Mounts, old and new.
  ...(['mount', 'umount2', 'pivot_root', 'chroot', 'open_tree', 'open_tree_attr', 'move_mount'] as const),
  ...(['fsopen', 'fsconfig', 'fsmount', 'fspick', 'mount_setattr', 'setns'] as const),
  // Files past their paths.
  ...(['name_to_handle_at', 'open_by_handle_at', 'lookup_dcookie', 'nfsservctl', 'uselib'] as const),
  // The machine as a whole.
  ...(['quotactl', 'quotactl_fd', 'swapon', 'swapoff', 'reboot', 'acct', 'syslog', 'vhangup'] as const),
  ...(['settimeofday', 'clock_settime', 'adjtimex', 'clock_adjtime', 'sethostname', 'setdomainname'] as const),
  ...(['iopl', 'ioperm'] as const),
];

/** mount, cgroup, uts, ipc, user, pid and network namespaces. */
const NAMESPACES = 0x0002_0000 | 0x0200_0000 | 0x0400_0000 | 0x0800_0000 | 0x1000_0000 | 0x2000_0000 | 0x4000_0000;
/** To `clone` the same bit is part of a signal's number. */
const TIME_NAMESPACE = 0x80;

/** TIOCSTI and TIOCLINUX: typing into the terminal of whoever has started the program. */
const TERMINAL_INPUT = [0x5412, 0x541c];

/** Linux as it is, and the question which it is. */
const PERSONALITIES = [0, 0xffff_ffff];

/** AF_UNIX, AF_INET, AF_INET6, AF_NETLINK. */
const FAMILIES = [1, 2, 10, 16];
const ONLY_KNOWN_SOCKETS: Piece = [...load(argument(0)), ...anyOf(FAMILIES, allow), ...refuse(EAFNOSUPPORT)];
