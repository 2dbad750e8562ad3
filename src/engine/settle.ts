import { advance, type FlowState, halt } from '../blueprint/advance.ts';
import { SYSTEM } from '../domain/actor.ts';
import type { Limits } from '../domain/limits.ts';
import type { Needs } from '../domain/run.ts';
import { between } from '../lib/crash-point.ts';
import type { StepResult } from '../ports/node.ts';
import type { Queries } from '../store/database.ts';
import { lockRun } from '../store/runs.ts';
import { endAttempt, updateStep } from '../store/steps.ts';
import { addWall, type Claim, holdsLease } from './claim.ts';
import type { Engine } from './engine.ts';
import { enter, type OpenRun, openRun, PARK_CHOICES, park, record, setState, write } from './transition.ts';

/** What an attempt leaves behind: its result, and the run's head after it. */
export interface Settlement {
  readonly result: StepResult;
  readonly head: string;
  readonly delivered?: string | undefined;
}

/**
 * Ends an attempt: the one transaction in which its step ends, the run goes on, the job is acknowledged and the next step is let in.
 * False when the lease was lost meanwhile; then nothing is changed.
 */
export async function settle(engine: Engine, claimed: Claim, settlement: Settlement): Promise<boolean> {
  return between(engine.crashPoint, 'transition', () =>
    engine.database.transaction(async (queries) => {
      const row = await lockRun(queries, claimed.run.id);
      if (!(await holdsLease(queries, claimed))) return false;
      const run = openRun(engine, queries, row);
      await endStep(run, claimed, settlement);
      if (row.cancelling) cancelled(run);
      else await goOn(run, claimed, settlement);
      await acknowledge(engine, queries, claimed);
      await write(run);
      return true;
    }),
  );
}

async function endStep(run: OpenRun, claimed: Claim, { result, head, delivered }: Settlement): Promise<void> {
  const { engine, queries } = run;
  const now = new Date(engine.clock.now());
  const { step } = claimed;
  const outcome = run.row.cancelling ? 'cancelled' : result.kind === 'limit' ? 'limit' : result.outcome;
  const detail = result.kind === 'limit' ? result.text : result.detail;
  run.changes.head = head;
  if (delivered !== undefined) run.changes.delivered = delivered;
  run.changes.consumed = addWall(row(run).consumed, now.getTime() - (await startOf(queries, claimed)).getTime());
  await updateStep(queries, step.id, {
    state: 'ended',
    outcome,
    detail: detail ?? null,
    outputs: result.kind === 'outcome' ? { ...result.outputs } : {},
    head,
    checkpoint: null,
    ended_at: now,
  });
  await endAttempt(queries, { step: step.id, n: claimed.attempt }, run.row.cancelling ? 'cancelled' : 'ended', now);
  record(run, SYSTEM, { kind: 'attempt.ended', node: step.node, n: step.n, attempt: claimed.attempt, result: run.row.cancelling ? 'cancelled' : 'ended' });
  record(run, SYSTEM, { kind: 'step.ended', node: step.node, n: step.n, outcome, checkpoint: head, ...(detail === undefined ? {} : { detail }) });
}

async function goOn(run: OpenRun, claimed: Claim, { result, head }: Settlement): Promise<void> {
  const { step } = claimed;
  if (result.kind === 'limit') {
    record(run, SYSTEM, { kind: 'limit', limit: result.limit, used: result.used, max: result.max, text: result.text });
    if (!step.aside) run.changes.flow = halt(run.row.flow as FlowState, { outcome: 'limit', detail: result.text });
    park(run, { reason: { code: `limit/${result.limit}`, message: result.text }, needs: needs('limit', head), node: step.node });
    return;
  }
  if (result.merged !== undefined) {
    run.changes.merged = result.merged;
    record(run, SYSTEM, { kind: 'run.merged', ...result.merged });
  }
  if (step.aside) return afterAside(run, claimed, result);
  const moved = advance(run.row.blueprint, run.row.flow as FlowState, {
    outcome: result.outcome,
    outputs: result.outputs,
    detail: result.detail,
  });
  await enter(run, moved);
  sharpen(run, result);
}

/** A merge asked for after the end brings the run back to its end, or parks it. */
function afterAside(run: OpenRun, claimed: Claim, result: Extract<StepResult, { kind: 'outcome' }>): void {
  if (result.merged !== undefined || result.outcome === 'merged' || result.outcome === 'delivered') {
    const state = { kind: 'succeeded', end: 'merged' } as const;
    setState(run, state);
    run.changes.ended_at = new Date(run.engine.clock.now());
    record(run, SYSTEM, { kind: 'run.ended', state });
    return;
  }
  const head = run.changes.head ?? run.row.head;
  park(run, {
    reason: { code: result.park?.code ?? `outcome/${result.outcome}`, message: result.detail ?? `The merge ended in ${result.outcome}.` },
    needs: { ...needs(result.park?.needs ?? 'error', head), ...(result.park?.files === undefined ? {} : { files: [...result.park.files] }) },
    node: claimed.step.node,
  });
}

/** A park that follows from an outcome says what the step knows of it: the code, the files. */
function sharpen(run: OpenRun, result: Extract<StepResult, { kind: 'outcome' }>): void {
  const state = run.changes.state;
  if (state?.kind !== 'parked' || result.park === undefined || state.needs.kind !== 'error') return;
  const reason = { code: result.park.code, message: result.detail ?? state.reason.message };
  const sharper = { ...state.needs, kind: result.park.needs, ...(result.park.files === undefined ? {} : { files: [...result.park.files] }) };
  setState(run, { kind: 'parked', reason, needs: sharper });
  for (const [index, entry] of run.events.entries()) {
    if (entry.payload.kind === 'run.parked') run.events[index] = { ...entry, payload: { ...entry.payload, reason, needs: sharper } };
  }
}

function cancelled(run: OpenRun): void {
  const state = { kind: 'cancelled' } as const;
  setState(run, state);
  run.changes.cancelling = false;
  run.changes.ended_at = new Date(run.engine.clock.now());
  record(run, SYSTEM, { kind: 'run.ended', state });
}

async function acknowledge(engine: Engine, queries: Queries, claimed: Claim): Promise<void> {
  await between(engine.crashPoint, 'job-ack', async () => {
    if (!(await engine.queue.complete(queries, claimed.job))) throw new LeaseLost();
  });
}

/** The job was given to somebody else between the check of the lease and the commit: everything is rolled back. */
export class LeaseLost extends Error {
  constructor() {
    super('the claim on this attempt was lost');
    this.name = 'LeaseLost';
  }
}

/** What a retry adds to the bound that was hit: its original amount. */
export function grantAgain(code: string, limits: Limits, granted: Limits): Limits {
  const name = code.startsWith('limit/') ? (code.slice('limit/'.length) as keyof Limits) : undefined;
  const amount = name === undefined ? undefined : limits[name];
  return name === undefined || amount === undefined || name === 'steps' ? granted : { ...granted, [name]: (granted[name] ?? 0) + amount };
}

function needs(kind: Needs['kind'], head: string): Needs {
  return { kind, choices: [...PARK_CHOICES], head };
}

function row(run: OpenRun) {
  return { ...run.row, ...run.changes };
}

async function startOf(queries: Queries, claimed: Claim): Promise<Date> {
  const [attempt] = await queries.query<{ started_at: Date }>('select started_at from attempt where step = $1 and n = $2', [claimed.step.id, claimed.attempt]);
  return attempt?.started_at ?? claimed.step.created_at;
}
