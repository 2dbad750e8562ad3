import { type Attack, saw, scriptTwin, type Twin, trick, whereAllowed } from './attack.ts';
import { perl, perlOutside } from './outside.ts';
import type { Stage } from './stage.ts';

/** Calls by their numbers on x86-64. */
const CALLS = {
  addKey: 248,
  keyctl: 250,
  bpf: 321,
  userfaultfd: 323,
  nameToHandle: 303,
  openByHandle: 304,
  perfEventOpen: 298,
  ioUringSetup: 425,
} as const;

/** An executable for i386: its headers, a segment at 0x08048000, and the code. */
const I386 = [
  '7f454c46010101000000000000000000020003000100000054800408340000000000000000000000340020000100000000000000',
  '0100000000000000008004080080040878000000780000000500000000100000',
  'b820010000bb00000000b9fcffffffba01000000cd8031db85c0790143b801000000cd80',
].join('');

const onX64 = (): Promise<string | undefined> =>
  Promise.resolve(process.arch === 'x64' ? undefined : 'its calls are written for x86-64');
const asRoot = (): Promise<string | undefined> =>
  Promise.resolve(process.geteuid?.() === 0 ? undefined : 'only root can do this at level none');

const WORKS_ON: Twin = scriptTwin('reads, writes and starts programs', 'date >file && cat file && rm file');

/** The kernel does what the program asks for, or does not. */
function call(name: string, program: string, lacks: (stage: Stage) => Promise<string | undefined> = onX64): Attack {
  return trick({ name, subject: 'calls to the kernel', script: () => perl(program), twin: WORKS_ON, lacks });
}

const reached = (condition: string): string => `print "REACHED" if (${condition})`;

export const kernelAttacks: readonly Attack[] = [
  {
    name: "reads a key of the user's key ring",
    subject: 'calls to the kernel',
    lacks: onX64,
    async play(stage) {
      const add = `my ($name, $data) = @ARGV; my $type = "user"; print 0 + syscall(${CALLS.addKey}, $type, $name, $data, length $data, -4)`;
      const key = await perlOutside(add, `attack-${stage.secret}`, stage.secret);
      try {
        const program = `my ($type, $name) = ("user", @ARGV); my $id = syscall(${CALLS.keyctl}, 10, -4, $type, $name, 0); my $data = "\\0" x 200; print $data if syscall(${CALLS.keyctl}, 11, $id, $data, 200) > 0`;
        return saw(await stage.agent(perl(program, `attack-${stage.secret}`)), `${stage.secret}\0`);
      } finally {
        await perlOutside(`syscall(${CALLS.keyctl}, 9, 0 + $ARGV[0], -4)`, key);
      }
    },
    twin: WORKS_ON,
  },
  call(
    'keeps something in a key ring for whoever comes next',
    `my ($type, $name, $data) = ("user", "attack", "x"); ${reached(`syscall(${CALLS.addKey}, $type, $name, $data, 1, -2) >= 0`)}`,
  ),
  call('opens a socket to the hypervisor (AF_VSOCK)', reached('socket(my $s, 40, 1, 0)')),
  call('listens to the wire (AF_PACKET)', reached('socket(my $s, 17, 3, 768)'), asRoot),
  call('makes an io_uring', `my $p = "\\0" x 120; ${reached(`syscall(${CALLS.ioUringSetup}, 4, $p) >= 0`)}`),
  whereAllowed(
    call('has page faults handled by itself (userfaultfd)', reached(`syscall(${CALLS.userfaultfd}, 0) >= 0`)),
  ),
  call(
    'loads programs into the kernel (bpf)',
    `my $map = pack("LLLL", 2, 4, 4, 1) . ("\\0" x 56); ${reached(`syscall(${CALLS.bpf}, 0, $map, 72) >= 0`)}`,
    asRoot,
  ),
  whereAllowed(
    call(
      'counts what the machine does (perf)',
      `my $what = pack("LLQ", 1, 128, 0) . ("\\0" x 112); ${reached(`syscall(${CALLS.perfEventOpen}, $what, 0, -1, -1, 0) >= 0`)}`,
    ),
  ),
  {
    name: 'opens a file outside by its number (open_by_handle_at)',
    subject: 'calls to the kernel',
    lacks: async () => (await onX64()) ?? (await asRoot()),
    async play(stage) {
      const file = await stage.put('secret');
      const find = `my $h = pack("Ll", 128, 0) . ("\\0" x 128); my $m = "\\0" x 4; syscall(${CALLS.nameToHandle}, -100, $ARGV[0], $h, $m, 0); my ($n) = unpack("L", $h); print unpack("H*", substr($h, 0, 8 + $n))`;
      const handle = await perlOutside(find, file);
      const program = `use POSIX; my $h = pack("H*", $ARGV[0]); my $at = POSIX::open(".", 0); my $fd = syscall(${CALLS.openByHandle}, $at, $h, 0); my $data; POSIX::read($fd, $data, 200); print $data`;
      return saw(await stage.agent(perl(program, handle)), stage.secret);
    },
    twin: WORKS_ON,
  },
  trick({
    name: 'asks by way of 32-bit calls',
    subject: 'calls to the kernel',
    // A program of a few bytes: keyctl(KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_KEYRING, 1), 288 there; ends with 0 when that was answered.
    script: () =>
      `${perl(`binmode STDOUT; print pack("H*", "${I386}")`)} >i386 && chmod +x i386 && ./i386 && echo REACHED`,
    twin: WORKS_ON,
    async lacks(stage) {
      const said = await stage.agent(
        `${perl(`binmode STDOUT; print pack("H*", "${I386}")`)} >i386; chmod +x i386; ./i386`,
      );
      return (await onX64()) ?? (said.code === 126 ? 'this kernel runs no 32-bit programs' : undefined);
    },
  }),
  trick({
    name: 'asks by way of x32 calls',
    subject: 'calls to the kernel',
    script: () => perl(reached(`syscall(0x40000000 + ${CALLS.keyctl}, 0, -4, 1) >= 0`)),
    twin: WORKS_ON,
    async lacks(stage) {
      const said = await stage.agent(perl('print syscall(0x40000000 + 39) > 0 ? "HAS" : "LACKS"'));
      return said.output.includes('HAS') ? undefined : 'this kernel has no x32 calls';
    },
  }),
  trick({
    name: 'makes itself root of a user namespace of its own',
    subject: 'namespaces',
    script: () => 'unshare -Urm sh -c "mkdir -p m && mount -t tmpfs none m && echo REACHED"',
    twin: scriptTwin('sees who it is', 'id -u'),
  }),
  trick({
    name: 'mounts something over its workspace',
    subject: 'namespaces',
    script: () => 'mkdir m && mount -t tmpfs none m && echo REACHED; umount m 2>/dev/null',
    twin: scriptTwin('makes folders and links', 'mkdir -p a/b && ln -s a/b c && touch c/d && ls a/b/d'),
    lacks: asRoot,
  }),
  trick({
    name: 'makes walls of its own within the walls',
    subject: 'namespaces',
    script: () => 'bwrap --unshare-all --ro-bind / / --proc /proc --dev /dev echo REACHED',
    twin: scriptTwin('starts a session and a background job', 'setsid true; (true &) ; wait'),
    lacks: async (stage) =>
      (await stage.agent('command -v bwrap')).code === 0 ? undefined : 'bubblewrap is not installed',
  }),
  trick({
    name: 'makes a file that is the disk',
    subject: 'devices',
    script: () => 'mknod disk b $(mountpoint -d / | tr : " ") && rm disk && echo REACHED',
    twin: scriptTwin('makes a pipe and uses it', 'mkfifo pipe && (echo through >pipe &) && cat pipe', 'through'),
    lacks: asRoot,
  }),
  whereAllowed(
    trick({
      name: "opens the machine's devices",
      subject: 'devices',
      script: () =>
        'for d in /dev/mem /dev/kmsg /dev/[sv]d? /dev/nvme*n* /dev/dm-* /dev/loop0 /dev/kvm /dev/fuse /dev/net/tun /dev/vsock; do (exec 3<$d) 2>/dev/null && echo REACHED $d; done',
      twin: scriptTwin(
        'uses the devices that programs need',
        'head -c 9 /dev/urandom >/dev/null && : >/dev/null && head -c 1 /dev/zero | wc -c',
      ),
    }),
  ),
  trick({
    name: 'gets more rights from a program that has them (setuid)',
    subject: 'rights',
    script: () => 'grep -q "NoNewPrivs:.*0" /proc/self/status && echo REACHED',
    twin: WORKS_ON,
  }),
  {
    name: 'reads memory that other programs share',
    subject: 'processes',
    async play(stage) {
      const make = 'my $id = shmget(0 + $ARGV[0], 200, 01600); shmwrite($id, $ARGV[1], 0, length $ARGV[1]); print $id';
      const key = String(0x5a000000 + (process.pid % 0xffff));
      const id = await perlOutside(make, key, stage.secret);
      try {
        return saw(
          await stage.agent(perl('my $data; shmread(shmget(0 + $ARGV[0], 0, 0), $data, 0, 200); print $data', key)),
          stage.secret,
        );
      } finally {
        await perlOutside('shmctl(0 + $ARGV[0], 0, 0)', id);
      }
    },
    twin: scriptTwin(
      'shares memory with its own',
      perl(
        'my $id = shmget(77, 10, 01600); shmwrite($id, "own", 0, 3); my $data; shmread($id, $data, 0, 3); shmctl($id, 0, 0); print $data',
      ),
      'own',
    ),
  },
];
