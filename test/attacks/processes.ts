import { sendSignal } from '../../src/lib/processes.ts';
import { processesWith, uniqueSleep, untilProcessesWith } from '../../src/testing/marked-processes.ts';
import { type Attack, saw, scriptTwin, trick, whereAllowed } from './attack.ts';
import { withBystander } from './bystander.ts';
import type { Stage } from './stage.ts';

const SETTINGS =
  '/proc/sys/kernel/core_pattern /proc/sys/kernel/modprobe /proc/sysrq-trigger /sys/kernel/uevent_helper /sys/fs/cgroup/*/release_agent /proc/sys/kernel/hostname /proc/sys/net/ipv4/ip_forward';

const MEMORY = `my $pid = shift; open(my $maps, "<", "/proc/$pid/maps") or die; open(my $mem, "<", "/proc/$pid/mem") or die; binmode $mem;
while (<$maps>) { next unless /^([0-9a-f]+)-([0-9a-f]+) rw.*\\[heap\\]/; sysseek($mem, hex $1, 0); sysread($mem, my $data, hex($2) - hex($1)); print $1 if $data =~ /(HELD-\\w+)/ }`;
const OPEN_FILES = `for my $f (glob "/proc/[0-9]*/fd/*") { next unless -f $f && open(my $in, "<", $f); sysread($in, my $data, 200); print $data if $data =~ /CANARY/ }`;
const ATTACH = `my $pid = 0 + shift; if (syscall(101, 16, $pid, 0, 0) == 0) { waitpid($pid, 0x40000000); syscall(101, 17, $pid, 0, 0); print "REACHED" }`;
const TRACE_CHILD = `my $pid = fork; if (!$pid) { sleep 60; exit } if (syscall(101, 16, $pid, 0, 0) == 0) { waitpid($pid, 0); syscall(101, 17, $pid, 0, 0); print "TRACED" } kill 9, $pid`;

const SEES_ITSELF = scriptTwin(
  'looks at its own processes',
  'cat /proc/self/environ | tr "\\0" "\\n" | grep -a ^PATH= && ls -d /proc/$$',
);

/** Looks in every process's folder for the secret. */
function lookEverywhere(name: string, script: (stage: Stage, pid: number) => string): Attack {
  return {
    name,
    subject: 'processes (1)',
    play: withBystander(async (stage, other) => saw(await stage.agent(script(stage, other.pid)), stage.secret)),
    twin: SEES_ITSELF,
  };
}

const everywhere = (what: string): string =>
  `for p in /proc/[0-9]*; do cat $p/${what} 2>/dev/null; done | tr '\\0' '\\n'`;

export const processAttacks: readonly Attack[] = [
  lookEverywhere(
    'reads the environments of all processes',
    () => `${everywhere('environ')} | grep -a SWITCHYARD_TOKEN`,
  ),
  lookEverywhere('reads the arguments of all processes', () => `${everywhere('cmdline')} | grep -a -- --token=`),
  lookEverywhere('reads through the roots of all processes', ({ person }) => everywhere(`root${person}/open-file`)),
  lookEverywhere('reads in the working folders of all processes', () => everywhere('cwd/open-file')),
  lookEverywhere(
    'reads the open files of all processes',
    ({ person }) => `rm -f ${person}/open-file; perl -e '${OPEN_FILES}'`,
  ),
  lookEverywhere('reads the memory of a process outside', (_, pid) => `perl -e '${MEMORY}' ${pid}`),
  {
    name: 'attaches itself to a process outside as a debugger',
    subject: 'processes',
    play: withBystander(async (stage, other) => saw(await stage.agent(`perl -e '${ATTACH}' ${other.pid}`), 'REACHED')),
    twin: scriptTwin('traces its own child', `perl -e '${TRACE_CHILD}'`, 'TRACED'),
  },
  {
    name: 'kills a process outside',
    subject: 'processes',
    play: withBystander(async (stage, other) => {
      await stage.agent(`kill -9 ${other.pid}; while kill -0 ${other.pid} 2>/dev/null; do :; done`);
      // The kernel has acted, but its parent may hear of it a little later.
      const alive = other.isAlive() && processesWith(`--token=${stage.secret}`).length > 0;
      return { before: 'alive', after: alive ? 'alive' : 'killed' };
    }),
    twin: scriptTwin('kills its own child', 'sleep 60 & kill -9 $! && ! wait $!'),
  },
  {
    name: 'leaves an orphan behind in a session of its own',
    subject: 'orphans (7)',
    async play(stage) {
      const sleep = uniqueSleep();
      await stage.agent(
        `perl -e 'use POSIX; fork && exit; POSIX::setsid(); fork && exit; open STDIN, "</dev/null"; open STDOUT, ">/dev/null"; open STDERR, ">/dev/null"; exec "env", "-i", "sleep", "${sleep}"'; while ! grep -qsazx -e${sleep} /proc/[0-9]*/cmdline; do :; done`,
      );
      const left = processesWith(sleep);
      for (const pid of left) sendSignal(pid, 'SIGKILL');
      await untilProcessesWith(sleep, 0);
      return { before: 'nothing left', after: left.length === 0 ? 'nothing left' : 'left' };
    },
    twin: scriptTwin('waits for a job in the background', '(sleep 0.01; echo done) & wait', 'done'),
  },
  whereAllowed({
    name: 'enters the mount namespace of a process outside, or of the first one that it sees',
    subject: 'namespaces',
    play: withBystander(async (stage, { pid }) => {
      const file = await stage.put('secret');
      const entered = (of: string) => `nsenter -t ${of} -m cat ${file}`;
      return saw(await stage.agent(`${entered('1')}; ${entered(String(pid))}`), stage.secret);
    }),
    twin: SEES_ITSELF,
  }),
  whereAllowed(
    trick({
      name: 'opens settings of the kernel that name programs, or end everything, for writing',
      subject: 'kernel settings',
      script: () => `for f in ${SETTINGS}; do (exec 3>>$f) 2>/dev/null && echo "REACHED $f"; done`,
      twin: scriptTwin('reads such settings', 'cat /proc/sys/kernel/ostype', 'Linux'),
    }),
  ),
];
