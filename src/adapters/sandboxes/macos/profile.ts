import type { Enclosure } from '../../../ports/sandbox.ts';

export interface ProfileParts {
  readonly enclosure: Pick<Enclosure, 'mounts' | 'network'>;
  /** What the program needs to read beside the system's own files; links in it have been resolved. */
  readonly reads: readonly string[];
}

/**
 * The profile that holds a program to its enclosure, in the language of macOS's `sandbox-exec`. Nothing is allowed but what is named: the
 * system's own files, what the enclosure shows, and of the network what leads to its bridges. In that language the last rule that fits
 * counts, so what is refused by name stands at the end.
 */
export function profileOf({ enclosure, reads }: ProfileParts): string {
  const { mounts, network } = enclosure;
  const shown = [...SYSTEM, ...reads, ...mounts.map(({ host }) => host)];
  const written = mounts.filter(({ writable }) => writable).map(({ host }) => host);
  // A folder that may only be read can lie within one that may be written to.
  const kept = mounts.filter(
    ({ host, writable }) => !writable && written.some((folder) => host.startsWith(`${folder}/`)),
  );
  return [
    '(version 1)',
    '(deny default)',
    ...PROCESSES,
    // Programs ask what their path leads through, without seeing what else lies there.
    ...rule('allow', 'file-read-metadata', parentsOf(shown).map(literal)),
    ...rule('allow', 'file-read* file-map-executable', shown.map(subpath)),
    ...rule('allow', 'file-read* file-write-data file-ioctl', DEVICES.map(literal)),
    ...rule('allow', 'file-write*', written.map(subpath)),
    ...rule(
      'deny',
      'file-write*',
      kept.map(({ host }) => subpath(host)),
    ),
    ...networkRules(network),
    '',
  ].join('\n');
}

/** The system's own files, and where package managers put programs; no person's. */
const SYSTEM = [
  '/System',
  '/usr',
  '/bin',
  '/sbin',
  '/Library/Apple',
  '/Library/Developer',
  '/Library/Frameworks',
  '/Applications/Xcode.app',
  '/opt/homebrew',
  '/opt/local',
  '/nix/store',
  '/private/etc',
  '/private/var/db/dyld',
  '/private/var/db/timezone',
  '/private/var/select',
];

const DEVICES = ['/dev/null', '/dev/zero', '/dev/random', '/dev/urandom', '/dev/tty', '/dev/dtracehelper'];

const PROCESSES = [
  '(allow process-exec)',
  '(allow process-fork)',
  '(allow signal (target same-sandbox))',
  '(allow process-info* (target same-sandbox))',
  '(allow sysctl-read)',
  '(allow ipc-posix-sem)',
  '(allow pseudo-tty)',
  '(allow file-read* file-write* file-ioctl (regex #"^/dev/ttys[0-9]+$") (literal "/dev/ptmx"))',
  '(allow mach-lookup (global-name "com.apple.system.notification_center") (global-name "com.apple.system.opendirectoryd.libinfo"))',
];

function networkRules(network: Enclosure['network']): string[] {
  if (network.kind === 'open') {
    const names = ['com.apple.mDNSResponder', 'com.apple.trustd.agent', 'com.apple.SystemConfiguration.configd'];
    const lookups = names.map((name) => `(global-name ${quoted(name)})`);
    return ['(allow network*)', ...rule('allow', 'mach-lookup', lookups)];
  }
  const bridges = network.kind === 'bridged' ? network.bridges : [];
  // A loopback of its own is not to be had here: what listens can be reached by all, what may be reached is named.
  const ports = bridges.map(({ port }) => `(remote ip ${quoted(`localhost:${port}`)})`);
  return rule('allow', 'network-outbound', ports);
}

function rule(verb: 'allow' | 'deny', what: string, filters: readonly string[]): string[] {
  return filters.length === 0 ? [] : [`(${verb} ${what}\n  ${[...new Set(filters)].join('\n  ')})`];
}

function parentsOf(paths: readonly string[]): string[] {
  const all = paths.flatMap((path) => {
    const words = path.split('/').slice(1, -1);
    return words.map((_, index) => `/${words.slice(0, index + 1).join('/')}`);
  });
  return ['/', ...new Set(all)];
}

const subpath = (path: string) => `(subpath ${quoted(path)})`;
const literal = (path: string) => `(literal ${quoted(path)})`;

/** A string of that language. */
function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
