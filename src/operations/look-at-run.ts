import type { RunDetail, RunDiff, RunSummary } from '../api/schemas/run.ts';
import { diffStat, diffText, type FileStat } from '../lib/git/diff.ts';
import { listRuns as rows } from '../store/listed-runs.ts';
import { getRepository } from '../store/repositories.ts';
import { resolveRun } from '../store/runs.ts';
import type { OperationContext } from './operations.ts';
import { usableRepository } from './repository.ts';
import { runDetail, runSummary } from './views.ts';

const MOST_LISTED = 500;

/** Runs, newest first; those of one repository where a path in it is given. */
export async function listRuns(
  context: OperationContext,
  filter: { repository?: string | undefined; all?: string | undefined },
): Promise<RunSummary[]> {
  const repository =
    filter.repository === undefined || filter.all === 'true'
      ? undefined
      : (await usableRepository(context, filter.repository)).row.id;
  const found = await rows(context.engine.database, { repository, limit: MOST_LISTED });
  return found.map((run) => runSummary(run));
}

export async function showRun(context: OperationContext, reference: string): Promise<RunDetail> {
  const { database, clock } = context.engine;
  return runDetail(database, await resolveRun(database, reference), clock.now());
}

/** What the run has changed since its base. */
export async function diffRun(context: OperationContext, reference: string): Promise<RunDiff> {
  const { database } = context.engine;
  const run = await resolveRun(database, reference);
  const store = await context.host.openStore(await getRepository(database, run.repository));
  const { included: commit } = run.settings;
  const [patch, stat, included] = await Promise.all([
    diffText(store.path, run.base_commit, run.head),
    diffStat(store.path, run.base_commit, run.head),
    commit === undefined ? [] : diffStat(store.path, `${commit}^`, commit),
  ]);
  return {
    schema: 1,
    base: run.base_commit,
    head: run.head,
    patch,
    stat: statText(stat),
    ...(commit === undefined ? {} : { included: { commit, files: included.map(({ path }) => path) } }),
  };
}

function statText(stat: readonly FileStat[]): string {
  const width = Math.max(0, ...stat.map((file) => file.path.length));
  const count = (lines: number | null, sign: string) => (lines === null ? 'binary' : `${sign}${lines}`);
  return stat
    .map((file) => `${file.path.padEnd(width)}  ${count(file.added, '+')} ${count(file.removed, '-')}`.trimEnd())
    .join('\n');
}
