import { advance, type FlowState, halt } from '../blueprint/advance.ts';
import { SYSTEM } from '../domain/actor.ts';
import type { Needs } from '../domain/run.ts';
import { between } from '../lib/crash-point.ts';
import type { StepResult } from '../ports/node.ts';
import { queueOf } from '../store/queue.ts';
import { lockRun } from '../store/runs.ts';
import { endStep } from '../store/steps.ts';
import { addWall, type Claim, claimNext, leaseOf, recallNext } from './claim.ts';
import { type Engine, withoutSecrets } from './engine.ts';
import { forgetUnheard } from './hold.ts';
import { PARK_CHOICES } from './park-reasons.ts';
import { goOnForMessages } from './send-resume.ts';
import {
  current,
  enter,
  type OpenRun,
  openRun,
  park,
  record,
  removeWorkspaces,
  setEnded,
  setState,
  writeAndAdmit,
  writeAndGoOn,
} from './transition.ts';

/** What an attempt leaves behind: its result, and the run's head after it. */
export interface Settlement {
  readonly result: StepResult;
  readonly head: string;
  readonly delivered?: string | undefined;
  /** The checkpoint at the end, with the session of its agent. */
  readonly kept?: string | null;
  /** Whether the attempt had the run's workspace. */
  readonly opened: boolean;
}

type Outcome = Extract<StepResult, { kind: 'outcome' }>;

/** Who works on the run's next step, if that is let in at once. */
export interface GoingOn {
  readonly worker: string;
  /** Asked as late as can be. */
  readonly mayBegin: () => boolean;
}

export interface Settled {
  /** The claim on the run's next step. */
  readonly next: Claim | undefined;
}

/**
 * Ends an attempt: the one transaction in which its step ends, the run goes on, the job is acknowledged and the next step is let in. Where
 * that goes to the worker itself, it is claimed as well: whoever looks never finds it unclaimed. Undefined when the lease was lost
 * meanwhile; then nothing is changed. Again is the same.
 */
export async function settle(
  engine: Engine,
  claimed: Claim,
  { worker, mayBegin, ...left }: Settlement & GoingOn,
): Promise<Settled | undefined> {
  const settlement = { ...left, result: withoutSecrets(engine, left.result) };
  // By this time a claim is known again that was committed without our hearing of it.
  const startedAt = new Date(engine.clock.now());
  try {
    return await between(engine.crashPoint, 'transition', () =>
      engine.database.transaction(async (queries) => {
        const row = await lockRun(queries, claimed.run.id);
        const run = openRun(engine, queries, row);
        if (!(await end(run, claimed, settlement))) {
          if ((await leaseOf(queries, claimed)) !== 'settled') return undefined;
          return { next: await recallNext(engine, queries, { row, worker, startedAt }) };
        }
        forgetUnheard(run);
        if (row.cancelling) cancelled(run);
        else {
          await goOn(run, claimed, settlement);
          await goOnForMessages(run);
        }
        await acknowledge(run, claimed);
        // Whoever has asked for the run gets it between two steps.
        if (row.opening !== null || !mayBegin()) {
          await writeAndAdmit(run);
          return { next: undefined };
        }
        const job = await writeAndGoOn(run, queueOf(worker));
        return { next: job && (await claimNext(run, { job, worker, startedAt })) };
      }),
    );
  } catch (error) {
    if (error instanceof ClaimLost) return undefined;
    throw error;
  }
}

/** Ends step and attempt; false when they are not this attempt's to end. */
async function end(
  run: OpenRun,
  claimed: Claim,
  { result, head, delivered, kept = null, opened }: Settlement,
): Promise<boolean> {
  const { row, engine, queries } = run;
  const at = new Date(engine.clock.now());
  const { step, attempt, startedAt } = claimed;
  const outcome = row.cancelling ? 'cancelled' : result.kind === 'limit' ? 'limit' : result.outcome;
  const detail = result.kind === 'limit' ? result.text : result.detail;
  const ended = row.cancelling ? 'cancelled' : 'ended';
  const outputs = result.kind === 'outcome' ? { ...result.outputs } : {};
  const by = { id: step.id, attempt, at };
  if (!(await endStep(queries, { ...by, result: ended, outcome, detail, outputs, head, kept, opened }))) return false;
  run.changes.head = head;
  if (delivered !== undefined) run.changes.delivered = delivered;
  // A merge may have put a delivered head on top of its target.
  if (delivered !== undefined || (step.kind === 'deliver' && row.mergeable === row.head)) run.changes.mergeable = head;
  run.changes.consumed = addWall(row.consumed, at.getTime() - startedAt.getTime());
  record(run, SYSTEM, { kind: 'attempt.ended', node: step.node, n: step.n, attempt, result: ended });
  const said = detail === undefined ? {} : { detail };
  record(run, SYSTEM, { kind: 'step.ended', node: step.node, n: step.n, outcome, checkpoint: head, ...said });
  if (result.kind === 'outcome' && result.merged !== undefined) {
    // A fact about the target, however the run goes on.
    run.changes.merged = result.merged;
    run.changes.merging = null;
    record(run, SYSTEM, { kind: 'run.merged', ...result.merged });
  }
  return true;
}

async function goOn(run: OpenRun, { step }: Claim, { result }: Settlement): Promise<void> {
  const flow = run.row.flow as FlowState;
  if (result.kind === 'limit') {
    const { limit, used, max, text, until } = result;
    record(run, SYSTEM, { kind: 'limit', limit, used, max, text });
    if (!step.aside) run.changes.flow = halt(flow, { outcome: 'limit', detail: text });
    const waits = until === undefined ? {} : { until: new Date(until).toISOString() };
    park(run, {
      reason: { code: `limit/${limit}`, message: text },
      needs: { ...needs(run, 'limit'), ...waits },
      node: step.node,
    });
    return;
  }
  if (step.aside) return afterAside(run, step.node, result);
  const { outcome, outputs, detail } = result;
  await enter(run, advance(run.row.blueprint, flow, { outcome, outputs, detail }));
  sharpen(run, result);
}

/** A merge asked for after the end brings the run back to its end, or parks it. */
async function afterAside(run: OpenRun, node: string, result: Outcome): Promise<void> {
  if (result.merged !== undefined || result.outcome === 'merged') {
    setEnded(run, { kind: 'succeeded', end: 'merged' }, SYSTEM);
    return removeWorkspaces(run);
  }
  park(run, {
    reason: { code: `outcome/${result.outcome}`, message: result.detail ?? `The merge ended in ${result.outcome}.` },
    needs: needs(run, 'error'),
    node,
  });
  sharpen(run, result);
}

/** A park that follows from an outcome says what the step knows of it: the code, the files. */
function sharpen(run: OpenRun, result: Outcome): void {
  const { state } = current(run);
  if (state.kind !== 'parked' || result.park === undefined || state.needs.kind !== 'error') return;
  const { code, needs: kind, files } = result.park;
  const reason = { code, message: result.detail ?? state.reason.message };
  const sharper: Needs = { ...state.needs, kind, ...(files === undefined ? {} : { files: [...files] }) };
  setState(run, { kind: 'parked', reason, needs: sharper });
  for (const [index, entry] of run.events.entries()) {
    if (entry.payload.kind !== 'run.parked') continue;
    run.events[index] = { ...entry, payload: { ...entry.payload, reason, needs: sharper } };
  }
}

function cancelled(run: OpenRun): void {
  run.changes.cancelling = false;
  setEnded(run, { kind: 'cancelled' }, SYSTEM);
}

async function acknowledge({ engine, queries }: OpenRun, claimed: Claim): Promise<void> {
  await between(engine.crashPoint, 'job-ack', async () => {
    if (!(await engine.queue.complete(queries, claimed.job))) throw new ClaimLost();
  });
}

/** The job is somebody else's already, though nobody has claimed the step yet: everything is rolled back. */
class ClaimLost extends Error {
  constructor() {
    super('the claim on this job was lost');
    this.name = 'ClaimLost';
  }
}

function needs(run: OpenRun, kind: Needs['kind']): Needs {
  return { kind, choices: [...PARK_CHOICES], head: current(run).head };
}
