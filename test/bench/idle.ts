import { pause } from '../../src/lib/wait-until.ts';
import { memory, standing } from './footprint.ts';
import { allOver, quickInstallation, quickRepository, startQuick } from './quick-runs.ts';
import { type Bench, rowOf } from './row.ts';

/** Of the design. */
const BUDGET_MB = 200;

/** What a daemon with its database holds of memory when it has done a run and now has nothing to do. */
export const idle: Bench = async ({ small }) => {
  await using repository = await quickRepository(small ? 50 : 500);
  await using installation = await quickInstallation();
  await installation.startDaemon();
  await startQuick(installation, repository);
  await allOver(installation, 60_000);
  const samples: number[] = [];
  for (let n = 0; n < (small ? 3 : 30); n++) {
    await pause(1000);
    samples.push(await memory(await standing(installation)));
  }
  return [rowOf('pss', 'MB', samples, { budget: BUDGET_MB })];
};
