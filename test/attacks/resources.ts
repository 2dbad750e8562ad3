import type { ResourceLimits, ResourceName } from '../../src/domain/sandbox.ts';
import type { Attack } from './attack.ts';
import { hostileRun, install } from './installed.ts';
import type { Said, Stage } from './stage.ts';

const MB = 1024 * 1024;

interface Bomb {
  readonly name: string;
  readonly limit: ResourceName;
  readonly limits: ResourceLimits;
  /** Small, and over by itself: it says `ALL` where it got all that it wanted. */
  readonly script: string;
  /** The same, within the limit. */
  readonly modest: string;
}

const BOMBS: readonly Bomb[] = [
  {
    name: 'starts more and more processes',
    limit: 'processes',
    limits: { processes: 40 },
    script: 'n=0; while [ $n -lt 120 ]; do sleep 20 & n=$((n+1)); done 2>/dev/null; echo ALL; kill $(jobs -p); wait',
    modest: 'n=0; while [ $n -lt 8 ]; do sleep 0.01 & n=$((n+1)); done; wait; echo ALL',
  },
  {
    name: 'takes more and more memory',
    limit: 'memory',
    limits: { memory: 100 * MB },
    script: 'perl -e "my @all; push @all, chr(65 + \\$_ % 26) x 10_000_000 for 1 .. 30; print q(ALL)"',
    modest: 'perl -e "my @all; push @all, chr(65 + \\$_ % 26) x 10_000_000 for 1 .. 3; print q(ALL)"',
  },
];

/** Something that takes all that there is, in little: more than the run's limits, and far less than harms the machine. */
function bomb({ name, limit, limits, script, modest }: Bomb): Attack {
  return {
    name,
    limit,
    subject: 'resources',
    async play(stage) {
      const said = await stage.agent(script, { limits });
      return { before: 'bounded', after: ended(said, limit) };
    },
    twin: {
      name: 'works within the limit',
      async works(stage) {
        const said = await stage.agent(modest, { limits });
        if (!said.output.includes('ALL') || said.breach !== undefined)
          throw new Error(`it ended with ${said.code}, ${JSON.stringify(said.breach)}: ${said.output}`);
      },
    },
  };
}

function ended({ output, breach }: Said, limit: ResourceName): string {
  if (output.includes('ALL')) return 'got everything';
  // An ordinary user's programs are held to a number of processes by the kernel alone, which tells nobody.
  const isTold = breach?.limit === limit || (limit === 'processes' && process.geteuid?.() !== 0);
  return isTold ? 'bounded' : `ended, and nobody knows why (${breach?.limit ?? 'no breach'})`;
}

/** As long as it is let, up to 300 MB: somebody looks now and then only. */
const FILLING =
  'n=0; while [ $n -lt 60 ]; do head -c 5000000 /dev/urandom >>~/full || exit 1; n=$((n+1)); sleep 0.2; done; echo ALL';

/** A run whose workspace may come to 20 MB; whatever the level, the daemon looks at its size. */
async function filledRun({ level }: Stage, script: string) {
  await using at = await install(level, { resources: { disk: '20MB' } });
  await using run = await hostileRun(level, script, { at });
  return { code: run.result.code, said: JSON.stringify(run.detail) + run.result.stdout };
}

const fillsDisk: Attack = {
  name: 'fills the disk',
  subject: 'resources',
  async play(stage) {
    const { code, said } = await filledRun(stage, `${FILLING} >said.txt; test -s said.txt && cp ~/full full`);
    if (code === 0) return { before: 'bounded', after: 'got everything' };
    return { before: 'bounded', after: /disk/.test(said) ? 'bounded' : `ended, and nobody knows why: ${said}` };
  },
  async careless(stage) {
    const { output } = await stage.agent(FILLING);
    return { before: 'bounded', after: output.includes('ALL') ? 'got everything' : 'bounded' };
  },
  twin: {
    name: 'works within the limit',
    async works(stage) {
      const { code, said } = await filledRun(stage, 'head -c 5000000 /dev/urandom >~/some; echo good >good.txt');
      if (code !== 0) throw new Error(`it ended with ${code}: ${said}`);
    },
  },
};

/** Each of ten programs opens as many files as it is let; far below what the machine has. */
const OPENING = `use POSIX; for (1 .. 10) { my $pid = fork; next if $pid; my $count = 0; while ($count < 15000 && defined(POSIX::open("/dev/null", 0))) { $count++ } syswrite(STDOUT, "OPENED $count\\n"); exit } 1 while wait > 0;`;
const MOST_OPEN = 60_000;

const opensFiles: Attack = {
  name: 'opens more and more files, of which the whole machine has only so many',
  subject: 'resources',
  limit: 'openFiles',
  async play(stage) {
    const raised = 'ulimit -Hn 20000 2>/dev/null; ulimit -Sn $(ulimit -Hn)';
    const said = await stage.agent(`${raised}; perl -e '${OPENING}'`, { limits: { processes: 40, openFiles: 1200 } });
    const counts = [...said.output.matchAll(/OPENED (\d+)/g)].map(([, count]) => Number(count));
    if (counts.length === 0) throw new Error(`it opened nothing: ${said.output}`);
    const all = counts.reduce((sum, count) => sum + count, 0);
    return { before: 'bounded', after: all > MOST_OPEN ? 'got everything' : 'bounded' };
  },
  async lacks(stage) {
    const { output } = await stage.agent('ulimit -Hn');
    return output.trim() === 'unlimited' || Number(output) >= 15_100 ? undefined : 'each program is held to few here';
  },
  twin: {
    name: 'opens a thousand files',
    async works(stage) {
      const said = await stage.agent(
        `ulimit -n 1100; perl -e 'use POSIX; POSIX::open("/dev/null", 0) or die for 1 .. 1050; print "ALL"'`,
        { limits: { processes: 40, openFiles: 1200 } },
      );
      if (!said.output.includes('ALL')) throw new Error(said.output);
    },
  },
};

export const resourceAttacks: readonly Attack[] = [...BOMBS.map(bomb), fillsDisk, opensFiles];
