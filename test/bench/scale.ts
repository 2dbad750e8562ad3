import { systemClock } from '../../src/lib/clock.ts';
import { openDatabase } from '../../src/store/database.ts';
import type { TempRepository } from '../../src/testing/temp-repository.ts';
import type { Installation } from '../support/installation.ts';
import { fillGitStore } from './fill-git-store.ts';
import { fillStore } from './fill-store.ts';
import { allOver, quickInstallation, quickRepository, startQuick } from './quick-runs.ts';
import { type Bench, median, type Row, round, rowOf } from './row.ts';

const SIZES = [100, 1_000, 10_000, 100_000];

/**
 * What a whole run costs, one after the other, while the store holds more and more runs that are over. The floor is the cost in the
 * smallest store: the ratio says how it grows.
 */
export const scale: Bench = async ({ small }) => {
  await using repository = await quickRepository(small ? 50 : 500);
  await using installation = await quickInstallation();
  await installation.startDaemon();
  const first = await startQuick(installation, repository);
  await allOver(installation, 60_000);
  const { databaseUrl } = await installation.client.call('joinWorker', {});
  await using database = openDatabase(databaseUrl, { clock: systemClock, connections: 1 });

  const rows: Row[] = [];
  let floor: number | undefined;
  let filled = 1;
  for (const size of SIZES) {
    const to = small ? size / 10 : size;
    await fillStore(database, first, { from: filled + 1, to });
    await fillGitStore(installation, first, { from: filled + 1, to });
    filled = to;
    const costs = await cost(installation, repository, small ? 3 : 15);
    floor ??= round(median(costs));
    rows.push(rowOf(`run-cost-1e${Math.log10(size)}`, 'ms', costs, { floor }));
  }
  return rows;
};

async function cost(installation: Installation, repository: TempRepository, rounds: number): Promise<number[]> {
  const costs: number[] = [];
  for (let n = 0; n <= rounds; n++) {
    const began = performance.now();
    const run = await startQuick(installation, repository);
    await over(installation, run);
    if (n > 0) costs.push(performance.now() - began); // the first warms up
  }
  return costs;
}

async function over(installation: Installation, run: string): Promise<void> {
  for await (const event of installation.client.events(run, { follow: true })) {
    if (event.kind === 'run.parked') throw new Error(`the run parked: ${event.reason.message}`);
    if (event.kind === 'run.ended') return;
  }
  throw new Error('the run did not end');
}
