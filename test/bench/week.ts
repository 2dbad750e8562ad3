import { pause } from '../../src/lib/wait-until.ts';
import type { TempRepository } from '../../src/testing/temp-repository.ts';
import type { Installation } from '../support/installation.ts';
import { MemoryWatch } from './footprint.ts';
import { allOver, atWork, quickInstallation, quickRepository, startQuick, verifyMerged } from './quick-runs.ts';
import { type Bench, rowOf } from './row.ts';

/** Of the design: 1,300 runs in five minutes on two cores. */
const RUNS = 1_300;
const BUDGET_S = 300;
/** Runs that are not over at any time; more of them only wait. */
const AT_ONCE = 32;
const LONGEST_MS = 60 * 60_000;

/**
 * A week of merges as fast as this machine can make them: whole runs of `quick` in one repository, from the request to the merge into
 * the checked-out branch. The default limits are in force. Every merge is verified afterwards.
 */
export const week: Bench = async ({ small }) => {
  const count = small ? RUNS / 10 : RUNS;
  await using repository = await quickRepository(small ? 50 : 500);
  await using installation = await quickInstallation();
  await installation.startDaemon();
  await startQuick(installation, repository); // warm-up
  await allOver(installation, LONGEST_MS);
  const base = await repository.git('rev-parse', 'main');

  const { started, seconds, peak } = await theWeek(installation, repository, count);

  const runs = [];
  for (const run of started) runs.push(await installation.show(run));
  await verifyMerged(repository, runs, base);
  return [
    rowOf('runs-1300', 's', [seconds], { budget: small ? BUDGET_S / 10 : BUDGET_S }),
    rowOf('runs-per-second', '1/s', [count / seconds]),
    rowOf('peak-pss', 'MB', [peak]),
  ];
};

async function theWeek(
  installation: Installation,
  repository: TempRepository,
  count: number,
): Promise<{ started: string[]; seconds: number; peak: number }> {
  const started: string[] = [];
  await using watch = new MemoryWatch(installation);
  const began = performance.now();
  while (started.length < count) {
    const more = Math.min(count - started.length, AT_ONCE - (await atWork(installation)));
    for (let n = 0; n < more; n++) started.push(await startQuick(installation, repository));
    if (more <= 0) await pause(50);
  }
  await allOver(installation, LONGEST_MS);
  return { started, seconds: (performance.now() - began) / 1000, peak: watch.peak };
}
