import type { ResourceLimits, ResourceName } from '../../src/domain/sandbox.ts';
import type { Attack } from './attack.ts';
import type { Said } from './stage.ts';

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
  {
    name: 'fills the disk',
    limit: 'disk',
    limits: { disk: 20 * MB },
    // Goes on as long as it is let, up to 300 MB: somebody looks now and then only.
    script:
      'n=0; while [ $n -lt 60 ]; do head -c 5000000 /dev/urandom >>~/full || exit; n=$((n+1)); sleep 0.05; done; echo ALL',
    modest: 'head -c 5000000 /dev/urandom >~/some && echo ALL',
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
  return breach?.limit === limit ? 'bounded' : `ended, and nobody knows why (${breach?.limit ?? 'no breach'})`;
}

export const resourceAttacks: readonly Attack[] = BOMBS.map(bomb);
