import { advance, type FlowState, type Transition } from '../blueprint/advance.ts';
import { type Actor, SYSTEM } from '../domain/actor.ts';
import type { EventPayload } from '../domain/event.ts';
import { isEnded, type Needs, type Reason, type RunState } from '../domain/run.ts';
import type { Queries } from '../store/database.ts';
import { appendEvents, type NewEvent } from '../store/events.ts';
import { putOut } from '../store/outbox.ts';
import type { RunRow } from '../store/rows.ts';
import { updateRun } from '../store/runs.ts';
import { insertStep, stepsOf } from '../store/steps.ts';
import { getTask } from '../store/tasks.ts';
import { admit } from './admission.ts';
import { type Engine, event } from './engine.ts';
import { providerOf } from './provider.ts';

/** A run inside a transaction that holds its row lock: what `enter` changes, and what is written at the end by `write`. */
export interface OpenRun {
  readonly engine: Engine;
  readonly queries: Queries;
  readonly row: RunRow;
  readonly events: NewEvent[];
  readonly changes: { -readonly [Column in keyof Omit<RunRow, 'id' | 'state_kind'>]?: RunRow[Column] };
}

/** What `advance`, `begin` and `retry` give. */
export interface Moved {
  readonly state: FlowState;
  readonly transition: Transition;
}

export const PARK_CHOICES: readonly string[] = ['retry', 'abandoned'];

export function openRun(engine: Engine, queries: Queries, row: RunRow): OpenRun {
  return { engine, queries, row, events: [], changes: {} };
}

/**
 * Enters what the blueprint says is next: inserts a waiting step, parks the run, or ends it. Approvals that the requester gave in
 * advance (`--yes`) are answered on the way.
 */
export async function enter(run: OpenRun, moved: Moved): Promise<void> {
  run.changes.flow = moved.state;
  const { transition } = moved;
  switch (transition.kind) {
    case 'end':
      await end(run, { end: transition.end, as: transition.as });
      return;
    case 'park':
      park(run, parkedBy(transition, run));
      return;
    case 'step':
      await enterStep(run, { moved, transition });
      return;
  }
}

async function enterStep(
  run: OpenRun,
  { moved, transition }: { moved: Moved; transition: Extract<Transition, { kind: 'step' }> },
): Promise<void> {
  const { engine, queries } = run;
  const { step, node, blueprint, with: given } = transition;
  const kind = engine.kinds.get(node.kind);
  if (kind === undefined || kind.mode === 'compose') throw new Error(`no kind of node executes ${node.kind}`);
  const common = {
    id: engine.ids(),
    run: run.row.id,
    repository: run.row.repository,
    node: step.node,
    n: step.n,
    kind: node.kind,
    aside: false,
    inputs: given,
    priority: run.row.priority,
    created_at: new Date(engine.clock.now()),
  };
  if (kind.mode === 'execute') {
    const provider = kind.agentic ? providerOf(run.row.settings.agent, node.fields) : null;
    await insertStep(queries, { ...common, agentic: kind.agentic, provider, state: 'waiting' });
    if (currentState(run).kind !== 'queued') setState(run, { kind: 'running' });
    return;
  }

  const task = await getTask(queries, run.row.task);
  const needs = kind.needs({ fields: node.fields, with: given, head: run.changes.head ?? run.row.head, blueprint, task });
  record(run, SYSTEM, { kind: 'step.started', node: step.node, n: step.n, nodeKind: node.kind });
  if (run.row.settings.yes && needs.choices.includes('approved')) {
    const actor: Actor = { kind: 'person', name: run.row.requester };
    const at = common.created_at;
    await insertStep(queries, { ...common, agentic: false, provider: null, state: 'ended' });
    await queries.query(`update step set outcome = 'approved', started_at = $2, ended_at = $2, head = $3 where id = $1`, [common.id, at, run.changes.head ?? run.row.head]);
    record(run, actor, { kind: 'step.ended', node: step.node, n: step.n, outcome: 'approved', checkpoint: run.changes.head ?? run.row.head, detail: 'approved in advance with --yes' });
    await enter(run, advance(run.row.blueprint, moved.state, { outcome: 'approved', outputs: {} }));
    return;
  }
  await insertStep(queries, { ...common, agentic: false, provider: null, state: 'running' });
  await queries.query('update step set started_at = created_at where id = $1', [common.id]);
  park(run, {
    reason: { code: 'approval/wanted', message: needs.ask ?? `${step.node} waits for a person.` },
    needs: { ...needs, choices: [...new Set([...needs.choices, ...PARK_CHOICES])] },
    node: step.node,
  });
}

/** Parks the run: from here on it holds no job and costs nothing. */
export function park(run: OpenRun, parked: { reason: Reason; needs: Needs; node: string | null }): void {
  setState(run, { kind: 'parked', reason: parked.reason, needs: parked.needs });
  record(run, SYSTEM, { kind: 'run.parked', ...parked });
}

/** Ends the run. An abandoned one is discarded: its refs go to the trash, from where `restore` brings them back. */
export async function end(
  run: OpenRun,
  ended: { end: string; as: 'succeeded' | 'failed' | 'abandoned' },
): Promise<void> {
  const at = new Date(run.engine.clock.now());
  if (ended.as === 'abandoned') return discard(run, SYSTEM);
  const state: RunState =
    ended.as === 'succeeded'
      ? { kind: 'succeeded', end: ended.end }
      : { kind: 'failed', reason: { code: 'run/failed', message: `The blueprint ended in ${ended.end}.` } };
  setState(run, state);
  run.changes.ended_at = at;
  record(run, SYSTEM, { kind: 'run.ended', state });
  if (state.kind === 'succeeded') await removeWorkspaces(run, at);
}

/** Discards the run: remembers the state it had, and moves its refs to the trash after the commit. */
export async function discard(run: OpenRun, actor: Actor): Promise<void> {
  const at = new Date(run.engine.clock.now());
  const state: RunState = { kind: 'discarded' };
  // Restored, a run that was parked waits again where it did; one that its blueprint abandoned has nothing left to do.
  const parked = run.row.state.kind === 'parked';
  if (parked) run.changes.flow = run.row.flow;
  run.changes.state_before = parked || isEnded(run.row.state.kind) ? run.row.state : { kind: 'failed', reason: { code: 'run/abandoned', message: 'The blueprint abandoned it.' } };
  setState(run, state);
  run.changes.ended_at = at;
  record(run, actor, { kind: 'run.ended', state });
  await putOut(run.queries, { id: `trash-${run.row.id}-${at.getTime()}`, run: run.row.id, kind: 'trash', worker: null, at });
  await removeWorkspaces(run, at);
}

/** Asks each worker that has worked on the run to remove its workspace. */
async function removeWorkspaces(run: OpenRun, at: Date): Promise<void> {
  const workers = new Set((await stepsOf(run.queries, run.row.id)).flatMap((step) => (step.worker === null ? [] : [step.worker])));
  for (const worker of workers) {
    const id = `workspace-${run.row.id}-${worker}-${at.getTime()}`;
    await putOut(run.queries, { id, run: run.row.id, kind: 'remove-workspace', worker, at: new Date(at.getTime() + 1) });
  }
}

/** Writes what was gathered, appends the events, and lets in what may now work. The last thing in a transaction. */
export async function write(run: OpenRun): Promise<void> {
  await updateRun(run.queries, run.row.id, run.changes);
  await appendEvents(run.queries, run.row.id, run.events);
  await admit(run.engine, run.queries);
}

export function record(run: OpenRun, actor: Actor, payload: EventPayload): void {
  run.events.push(event(run.engine, actor, payload));
}

export function setState(run: OpenRun, state: RunState): void {
  run.changes.state = state;
}

export function currentState(run: OpenRun): RunState {
  return run.changes.state ?? run.row.state;
}

function parkedBy(transition: Extract<Transition, { kind: 'park' }>, run: OpenRun): { reason: Reason; needs: Needs; node: string } {
  const { reason, node } = transition;
  const head = run.changes.head ?? run.row.head;
  const needs = (kind: Needs['kind']): Needs => ({ kind, choices: [...PARK_CHOICES], head });
  switch (reason.kind) {
    case 'exhausted':
      return {
        reason: { code: 'limit/max', message: `${node} has had its ${reason.bound ?? ''} steps (max) and the checks are still not satisfied.`.replace('  ', ' ') },
        needs: needs('limit'),
        node,
      };
    case 'steps':
      return { reason: { code: 'limit/steps', message: `The run has taken its ${reason.bound ?? ''} steps.`.replace('  ', ' ') }, needs: needs('limit'), node };
    case 'edge':
      return {
        reason: { code: `outcome/${reason.outcome}`, message: reason.detail ?? `${node} ended in ${reason.outcome}.` },
        needs: needs('error'),
        node,
      };
  }
}
