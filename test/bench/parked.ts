import { pause, waitUntil } from '../../src/lib/wait-until.ts';
import { Installation } from '../support/installation.ts';
import { load, memory, standing } from './footprint.ts';
import { type Bench, median, round, rowOf } from './row.ts';
import { sampleRepository } from './sample-repository.ts';

const RUNS = 1_000;
/** Of the design, both above the idle daemon. */
const BUDGET = { points: 0.5, megabytes: 20 } as const;

const BLUEPRINT = `
name: ask
start: implement
nodes:
  implement: { agent: default, max: 1, next: deliver, on: { unchanged: deliver } }
  deliver:   { deliver: branch, next: review }
  review:    { approval: reviewer, on: { approved: done, changes: park, abandoned: abandoned } }
`;

interface Cost {
  readonly points: number[];
  readonly megabytes: number[];
}

/**
 * What runs that wait for a person cost: processor and memory of the daemon with its database while so many are parked, each with its
 * agent's work delivered, less what the same daemon took before the first of them.
 */
export const parked: Bench = async ({ small }) => {
  const count = small ? RUNS / 10 : RUNS;
  await using repository = await sampleRepository(50, {
    'config.yaml': 'checks: {}\nsetup: none\n',
    'blueprints/ask.yaml': BLUEPRINT,
  });
  await using installation = await Installation.create({
    config: 'agents:\n  instant: { kind: custom, command: [sh, -c, "date +%N > answer.txt"] }\n',
  });
  await installation.startDaemon();
  const park = async () => {
    const { run } = await installation.client.call('startRun', {
      task: 'Ask before it is merged',
      repository: repository.path,
      blueprint: 'ask',
      requester: 'bench',
    });
    return run;
  };
  const untilParked = (wanted: number) =>
    waitUntil(async () => (await installation.client.call('health', {})).runs.parked === wanted, {
      timeoutMs: 30 * 60_000,
      everyMs: 100,
      what: `${wanted} runs to wait for a person`,
    });

  const first = await park();
  await untilParked(1);
  await installation.client.call('discardRun', { actor: 'bench' }, { run: first });
  const before = await costs(installation, small);
  for (let n = 0; n < count; n++) await park();
  await untilParked(count);
  const after = await costs(installation, small);
  const [points, megabytes] = [round(median(before.points)), round(median(before.megabytes))];
  return [
    rowOf('cpu-points', 'points', above(after.points, points), { budget: BUDGET.points }),
    rowOf('memory', 'MB', above(after.megabytes, megabytes), { budget: BUDGET.megabytes }),
  ];
};

/** Once work has died down: connections to the database that nobody uses any more have been closed by then. */
const SETTLED_MS = 40_000;

async function costs(installation: Installation, small: boolean): Promise<Cost> {
  await pause(SETTLED_MS);
  const cost: Cost = { points: [], megabytes: [] };
  for (let n = 0; n < (small ? 3 : 9); n++) {
    cost.points.push(await load(installation, small ? 2 : 10));
    cost.megabytes.push(await memory(await standing(installation)));
  }
  return cost;
}

function above(samples: readonly number[], idle: number): number[] {
  return samples.map((sample) => sample - idle);
}
