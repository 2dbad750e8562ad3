import type { Actor } from '../domain/actor.ts';
import { between } from '../lib/crash-point.ts';
import { SwitchyardError } from '../lib/error.ts';
import { evidenceOn } from '../store/evidence.ts';
import type { RunRow, StepRow } from '../store/rows.ts';
import { latestStep, openStep } from '../store/steps.ts';
import { insertAside } from './aside.ts';
import { command } from './command.ts';
import { apply } from './decide.ts';
import type { Engine } from './engine.ts';
import { current, endWaiting, type OpenRun, record, setState, writeAndAdmit } from './transition.ts';

export interface MergeRequest {
  readonly to?: string | undefined;
  readonly push: boolean;
  readonly actor: Actor;
}

export type MergeAnswer = { readonly kind: 'already' | 'working'; readonly run: RunRow };

/**
 * A person asks for the merge of a delivered head; that is their approval of it. A run parked at a merge is tried again; one that is
 * merged stays so. Refuses with `merge/not-delivered`, `merge/red-checks`, `merge/no-target`.
 */
export async function mergeRun(engine: Engine, id: string, request: MergeRequest): Promise<MergeAnswer> {
  return between(engine.crashPoint, 'decision', async () => {
    let kind: MergeAnswer['kind'] = 'working';
    const run = await command(engine, id, async (open) => {
      kind = open.row.merged === null ? 'working' : 'already';
      if (kind === 'working') await merge(open, request);
    });
    return { kind, run };
  });
}

async function merge(run: OpenRun, request: MergeRequest): Promise<void> {
  const { row } = run;
  const { actor } = request;
  const parkedAt = await parkedMerge(run);
  if (parkedAt?.aside === true && request.to !== undefined) {
    record(run, actor, { kind: 'run.resumed', choice: 'merge', head: row.head });
    await insertAside(run, { to: request.to, push: request.push });
    setState(run, { kind: 'running' });
    return writeAndAdmit(run);
  }
  if (parkedAt !== undefined) {
    await apply(run, { choice: 'retry', actor });
    return writeAndAdmit(run);
  }
  await refuse(run, request);
  if (row.state.kind === 'parked' && row.state.needs.choices.includes('approved')) {
    await apply(run, { choice: 'approved', actor });
    // Where the blueprint has more to do, perhaps a merge of its own, that comes first.
    if (current(run).state.kind !== 'succeeded') return writeAndAdmit(run);
  } else {
    const waiting = await openStep(run.queries, row.id);
    if (waiting !== undefined) await endWaiting(run, waiting, { outcome: 'merge', outputs: {}, actor });
  }
  record(run, actor, { kind: 'run.resumed', choice: 'merge', head: row.head });
  await insertAside(run, { ...(request.to === undefined ? {} : { to: request.to }), push: request.push });
  setState(run, { kind: 'running' });
  run.changes.ended_at = null;
  await writeAndAdmit(run);
}

/** The merge that the run is parked at, if it is. */
async function parkedMerge({ row, queries }: OpenRun): Promise<StepRow | undefined> {
  if (row.state.kind !== 'parked' || !row.state.needs.choices.includes('retry')) return undefined;
  const last = await latestStep(queries, row.id);
  return last?.kind === 'deliver' && (last.aside || row.state.reason.code.startsWith('merge/')) ? last : undefined;
}

async function refuse({ row, queries }: OpenRun, request: MergeRequest): Promise<void> {
  const { kind } = row.state;
  if (row.delivered === null || kind === 'discarded' || kind === 'running' || kind === 'queued') {
    throw new SwitchyardError({
      code: 'merge/not-delivered',
      message: `Run ${row.slug} is ${kind}${row.delivered === null ? ' and has delivered nothing' : ''}.`,
      hint: `Only a delivered head can be merged; see \`switchyard why ${row.slug}\`.`,
    });
  }
  if (row.target === null && request.to === undefined) {
    throw new SwitchyardError({
      code: 'merge/no-target',
      message: `Run ${row.slug} began at ${row.base_ref}, which is no branch.`,
      hint: `Say where to: \`switchyard merge ${row.slug} --to BRANCH\`.`,
    });
  }
  const evidence = await evidenceOn(queries, row.id, row.head);
  const red = evidence.filter(({ verdict }) => verdict !== 'pass').map(({ name }) => name);
  if (red.length > 0) {
    throw new SwitchyardError({
      code: 'merge/red-checks',
      message: `On the head of ${row.slug} these checks are red: ${red.join(', ')}.`,
      hint: `Let them be fixed first; \`switchyard why ${row.slug}\` says what can be done.`,
    });
  }
}
