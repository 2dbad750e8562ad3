import type { Actor } from '../domain/actor.ts';
import { between } from '../lib/crash-point.ts';
import { SwitchyardError } from '../lib/error.ts';
import { evidenceOn } from '../store/evidence.ts';
import { getRun, lockRun } from '../store/runs.ts';
import { latestStep } from '../store/steps.ts';
import type { Queries } from '../store/database.ts';
import type { RunRow } from '../store/rows.ts';
import { insertAside } from './aside.ts';
import { decide } from './decide.ts';
import type { Engine } from './engine.ts';
import { openRun, record, setState, write } from './transition.ts';

export interface MergeRequest {
  readonly to?: string | undefined;
  readonly push: boolean;
  readonly actor: Actor;
}

export type MergeAnswer = { readonly kind: 'already'; readonly run: RunRow } | { readonly kind: 'working'; readonly run: RunRow };

/**
 * A person asks for the merge of a delivered head; that is their approval of it. A run parked at a merge is tried again; one that is
 * merged stays so. Refuses with `merge/not-delivered`, `merge/red-checks`, `merge/no-target`.
 */
export async function mergeRun(engine: Engine, id: string, request: MergeRequest): Promise<MergeAnswer> {
  const row = await getRun(engine.database, id);
  if (row.merged !== null) return { kind: 'already', run: row };
  if (await isParkedAtMerge(engine, row)) {
    await decide(engine, id, { choice: 'retry', actor: request.actor });
    return { kind: 'working', run: await getRun(engine.database, id) };
  }
  if (row.state.kind === 'parked' && row.state.needs.choices.includes('approved') && row.delivered !== null) {
    await decide(engine, id, { choice: 'approved', actor: request.actor });
  }
  return between(engine.crashPoint, 'decision', () =>
    engine.database.transaction(async (queries) => {
      const locked = await lockRun(queries, id);
      if (locked.merged !== null) return { kind: 'already', run: locked };
      await refuse(queries, locked, request);
      const run = openRun(engine, queries, locked);
      record(run, request.actor, { kind: 'run.resumed', choice: 'merge', head: locked.head });
      await insertAside(run, { ...(request.to === undefined ? {} : { to: request.to }), push: request.push });
      setState(run, { kind: 'running' });
      run.changes.ended_at = null;
      await write(run);
      return { kind: 'working', run: await getRun(queries, id) };
    }),
  );
}

async function isParkedAtMerge(engine: Engine, run: RunRow): Promise<boolean> {
  if (run.state.kind !== 'parked') return false;
  const last = await latestStep(engine.database, run.id);
  return last?.kind === 'deliver' && run.state.needs.choices.includes('retry') && (last.aside || run.state.reason.code.startsWith('merge/'));
}

async function refuse(queries: Queries, run: RunRow, request: MergeRequest): Promise<void> {
  if (run.delivered === null || run.state.kind === 'discarded' || run.state.kind === 'running' || run.state.kind === 'queued') {
    throw new SwitchyardError({
      code: 'merge/not-delivered',
      message: `Run ${run.slug} is ${run.state.kind}${run.delivered === null ? ' and has delivered nothing' : ''}.`,
      hint: 'Only a delivered head can be merged; see `switchyard why RUN`.',
    });
  }
  if (run.target === null && request.to === undefined) {
    throw new SwitchyardError({
      code: 'merge/no-target',
      message: `Run ${run.slug} began at ${run.base_ref}, which is no branch.`,
      hint: 'Say where to: `switchyard merge RUN --to BRANCH`.',
    });
  }
  const red = (await evidenceOn(queries, run.id, run.head)).filter((evidence) => evidence.verdict !== 'pass').map((evidence) => evidence.name);
  if (red.length > 0) {
    throw new SwitchyardError({
      code: 'merge/red-checks',
      message: `On the head of ${run.slug} these checks are red: ${red.join(', ')}.`,
      hint: 'Let them be fixed first, for instance with `switchyard approve RUN --choice retry`.',
    });
  }
}
