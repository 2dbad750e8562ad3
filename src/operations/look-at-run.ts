import type { RunDetail, RunDiff, RunSummary, Why } from '../api/schemas.ts';
import { activeSteps, blockedBy } from '../engine/admission.ts';
import { diffStat, diffText, type FileStat } from '../lib/git/diff.ts';
import type { RunRow, StepRow } from '../store/rows.ts';
import { resolveRun, listRuns as rows } from '../store/runs.ts';
import { attemptsOf, openStep } from '../store/steps.ts';
import { getRepository } from '../store/tasks.ts';
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
  return Promise.all(found.map((run) => runSummary(context.engine.database, run)));
}

export async function showRun(context: OperationContext, reference: string): Promise<RunDetail> {
  const { database } = context.engine;
  return runDetail(database, await resolveRun(database, reference));
}

/** What the run has changed since its base. */
export async function diffRun(context: OperationContext, reference: string): Promise<RunDiff> {
  const { database } = context.engine;
  const run = await resolveRun(database, reference);
  const store = await context.host.openStore(await getRepository(database, run.repository));
  const [patch, stat] = await Promise.all([
    diffText(store.path, run.base_commit, run.head),
    diffStat(store.path, run.base_commit, run.head),
  ]);
  return { schema: 1, base: run.base_commit, head: run.head, patch, stat: statText(stat) };
}

/** Where the run is, why it waits, and what it needs, in words. */
export async function whyRun(context: OperationContext, reference: string): Promise<Why> {
  const { database } = context.engine;
  const run = await resolveRun(database, reference);
  const step = await openStep(database, run.id);
  const lines = [`${run.slug} (${run.id}) is ${run.state.kind}.`, ...(await reasons(context, run, step))];
  return {
    schema: 1,
    run: run.id,
    state: run.state,
    lines,
    ...(run.state.kind === 'parked' ? { needs: run.state.needs } : {}),
  };
}

async function reasons(context: OperationContext, run: RunRow, step: StepRow | undefined): Promise<string[]> {
  switch (run.state.kind) {
    case 'parked': {
      const { reason, needs } = run.state;
      const files = needs.files === undefined || needs.files.length === 0 ? [] : [`Files: ${needs.files.join(', ')}`];
      return [
        `${reason.message} (${reason.code})`,
        ...files,
        `It needs a person: switchyard approve ${run.slug} --choice ${needs.choices.join('|')}`,
      ];
    }
    case 'queued':
    case 'running':
      return step === undefined ? ['It is between two steps.'] : stepReasons(context, run, step);
    case 'failed':
      return [run.state.reason.message];
    case 'succeeded':
      return [
        run.merged === null
          ? `It ended in ${run.state.end}; merge it with: switchyard merge ${run.slug}`
          : `It was merged to ${run.merged.target} as ${run.merged.commit.slice(0, 12)}.`,
      ];
    case 'discarded':
      return [`Nothing is lost: switchyard restore ${run.slug}`];
    case 'cancelled':
      return ['A person cancelled it. What was done until then is in `switchyard diff`.'];
  }
}

async function stepReasons({ engine }: OperationContext, run: RunRow, step: StepRow): Promise<string[]> {
  const name = `${step.node} #${step.n}`;
  if (run.cancelling) return [`${name} is being stopped: the run was cancelled.`];
  if (step.state === 'waiting') {
    const blocked = blockedBy({ ...step, waitingMs: 0 }, await activeSteps(engine.database), engine.limits);
    return [`${name} waits for a place: ${blocked ?? 'it is let in next'}.`];
  }
  if (step.state === 'admitted') return [`${name} has a place and waits for a worker to take it.`];
  const attempts = await attemptsOf(engine.database, step.id);
  const now = attempts.at(-1);
  const earlier = attempts.length > 1 ? ` after ${attempts.length - 1} that were interrupted` : '';
  return [
    `${name} is being worked on by ${step.worker ?? 'a worker'} (attempt ${step.lease}${earlier}), last heard of at ${now?.seen_at.toISOString() ?? '?'}.`,
  ];
}

function statText(stat: readonly FileStat[]): string {
  const width = Math.max(0, ...stat.map((file) => file.path.length));
  const count = (lines: number | null, sign: string) => (lines === null ? 'binary' : `${sign}${lines}`);
  return stat
    .map((file) => `${file.path.padEnd(width)}  ${count(file.added, '+')} ${count(file.removed, '-')}`.trimEnd())
    .join('\n');
}
