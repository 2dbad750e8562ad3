import { advance, type FlowState, type Transition } from '../blueprint/advance.ts';
import { type Actor, SYSTEM } from '../domain/actor.ts';
import type { EventPayload } from '../domain/event.ts';
import { isEnded, type Needs, type Reason, type RunState } from '../domain/run.ts';
import type { NodeKind } from '../ports/node.ts';
import { workersOf } from '../store/attempts.ts';
import type { Queries } from '../store/database.ts';
import { appendEvents, type NewEvent } from '../store/events.ts';
import { putOut } from '../store/outbox.ts';
import type { Job } from '../store/queue.ts';
import type { RunRow } from '../store/rows.ts';
import { insertStep, type NewStep, updateStep } from '../store/steps.ts';
import { getTask } from '../store/tasks.ts';
import { admit } from './admission.ts';
import { type Engine, event } from './engine.ts';
import { PARK_CHOICES, parkedBy } from './park-reasons.ts';
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

export function openRun(engine: Engine, queries: Queries, row: RunRow): OpenRun {
  return { engine, queries, row, events: [], changes: {} };
}

/** The run's row as it will be. */
export function current(run: OpenRun): Omit<RunRow, 'state_kind'> {
  return { ...run.row, ...run.changes };
}

/**
 * Enters what the blueprint says is next: inserts a waiting step, parks the run, or ends it. Approvals that the requester gave in
 * advance (`--yes`) are answered on the way. A step of `followUp` goes on in the session of its node's latest step.
 */
export async function enter(run: OpenRun, moved: Moved, { followUp = false } = {}): Promise<void> {
  run.changes.flow = moved.state;
  const { transition } = moved;
  switch (transition.kind) {
    case 'end':
      await end(run, { end: transition.end, as: transition.as });
      return;
    case 'park':
      park(run, parkedBy(transition, current(run).head));
      return;
    case 'step':
      await enterStep(run, moved.state, { transition, followUp });
      return;
  }
}

async function enterStep(
  run: OpenRun,
  flow: FlowState,
  { transition, followUp }: { transition: Extract<Transition, { kind: 'step' }>; followUp: boolean },
): Promise<void> {
  const { engine, row } = run;
  const { step, node, with: inputs } = transition;
  const kind = engine.kinds.get(node.kind);
  if (kind === undefined || kind.mode === 'compose') throw new Error(`no kind of node executes ${node.kind}`);
  const entered: NewStep = {
    id: engine.ids(),
    run: row.id,
    repository: row.repository,
    node: step.node,
    n: step.n,
    kind: node.kind,
    agentic: kind.mode === 'execute' && kind.agentic,
    aside: false,
    follow_up: followUp,
    provider: kind.mode === 'execute' && kind.agentic ? providerOf(row.settings.agent, node.fields) : null,
    holds:
      (kind.mode === 'execute' ? kind.holds?.({ fields: node.fields, target: current(run).target }) : undefined) ??
      null,
    state: kind.mode === 'execute' ? 'waiting' : 'running',
    inputs,
    priority: row.priority,
    created_at: new Date(engine.clock.now()),
  };
  await insertStep(run.queries, entered);
  if (kind.mode === 'wait') return ask(run, { kind, entered, flow, transition });
  if (current(run).state.kind !== 'queued') setState(run, { kind: 'running' });
}

interface Asking {
  readonly kind: Extract<NodeKind, { mode: 'wait' }>;
  readonly entered: NewStep;
  readonly flow: FlowState;
  readonly transition: Extract<Transition, { kind: 'step' }>;
}

/** Parks the run until a person has answered, or goes on with what the requester has said in advance. */
async function ask(run: OpenRun, { kind, entered, flow, transition }: Asking): Promise<void> {
  const { row, queries } = run;
  const { node, blueprint, with: given } = transition;
  const { head } = current(run);
  const task = await getTask(queries, row.task);
  const needs = kind.needs({ fields: node.fields, with: given, head, blueprint, task });
  record(run, SYSTEM, { kind: 'step.started', node: entered.node, n: entered.n, nodeKind: entered.kind });
  await updateStep(queries, entered.id, { started_at: entered.created_at });
  if (row.settings.yes && needs.choices.includes('approved')) {
    const actor: Actor = { kind: 'person', name: row.requester };
    const detail = 'approved in advance with --yes';
    const outputs = answerOutputs('approved', undefined, actor);
    await endWaiting(run, entered, { outcome: 'approved', outputs, actor, detail });
    return enter(run, advance(row.blueprint, flow, { outcome: 'approved', outputs }));
  }
  park(run, {
    reason: { code: 'approval/wanted', message: needs.ask ?? `${entered.node} waits for a person.` },
    needs: { ...needs, choices: [...new Set([...needs.choices, ...PARK_CHOICES])] },
    node: entered.node,
  });
}

/** What a node that waited for a person puts out. */
export function answerOutputs(choice: string, note: string | undefined, actor: Actor): Record<string, unknown> {
  return { choice, feedback: note ?? null, by: actor.kind === 'person' ? actor.name : actor.kind };
}

export interface Answer {
  readonly outcome: string;
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly actor: Actor;
  readonly detail?: string;
}

/** Ends a step that nobody works on: one that waited for a person, or for a place. */
export async function endWaiting(
  run: OpenRun,
  step: Pick<NewStep, 'id' | 'node' | 'n'>,
  answer: Answer,
): Promise<void> {
  const { outcome, outputs, actor, detail } = answer;
  const { head } = current(run);
  const ended_at = new Date(run.engine.clock.now());
  await updateStep(run.queries, step.id, { state: 'ended', outcome, outputs, head, ended_at, job: null });
  const said = detail === undefined ? {} : { detail };
  record(run, actor, { kind: 'step.ended', node: step.node, n: step.n, outcome, checkpoint: head, ...said });
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
  if (ended.as === 'abandoned') return discard(run, SYSTEM);
  if (ended.as === 'failed') {
    const reason = { code: 'run/failed', message: `The blueprint ended in ${ended.end}.` };
    return setEnded(run, { kind: 'failed', reason }, SYSTEM);
  }
  setEnded(run, { kind: 'succeeded', end: ended.end }, SYSTEM);
  await removeWorkspaces(run);
}

/** Nothing is left to do, in this state. */
export function setEnded(run: OpenRun, state: RunState, actor: Actor): void {
  setState(run, state);
  run.changes.ended_at = new Date(run.engine.clock.now());
  record(run, actor, { kind: 'run.ended', state });
}

/** Discards the run: remembers the state it had, and moves its refs to the trash after the commit. */
export async function discard(run: OpenRun, actor: Actor): Promise<void> {
  const { row, queries, engine } = run;
  const before = row.state;
  // Restored, a run that was parked waits again where it did; one that its blueprint abandoned has nothing left to do.
  if (before.kind === 'parked') run.changes.flow = row.flow;
  run.changes.state_before =
    before.kind === 'parked' || isEnded(before.kind)
      ? before
      : { kind: 'failed', reason: { code: 'run/abandoned', message: 'The blueprint abandoned it.' } };
  setEnded(run, { kind: 'discarded' }, actor);
  await putOut(queries, {
    id: `trash-${engine.ids()}`,
    run: row.id,
    kind: 'trash',
    worker: null,
    at: new Date(engine.clock.now()),
  });
  await removeWorkspaces(run);
}

/** Asks each worker that has worked on the run to remove its workspace. */
export async function removeWorkspaces({ engine, queries, row }: OpenRun): Promise<void> {
  const at = new Date(engine.clock.now());
  for (const worker of await workersOf(queries, row.id)) {
    await putOut(queries, { id: `workspace-${engine.ids()}`, run: row.id, kind: 'remove-workspace', worker, at });
  }
}

/** Writes what was gathered, and appends the events. */
export async function write(run: OpenRun): Promise<void> {
  await appendEvents(run.queries, run.row.id, run.events, run.changes);
}

/** The same, and lets in what may now work. The last thing in a transaction that made a step wait or freed a place. */
export async function writeAndAdmit(run: OpenRun): Promise<void> {
  await write(run);
  await admit(run.engine, run.queries);
}

/** The same; where the run's own next step is let in and goes to that queue, its job is the caller's at once, and returned. */
export async function writeAndGoOn(run: OpenRun, queue: string): Promise<Job | undefined> {
  await write(run);
  return admit(run.engine, run.queries, { run: run.row.id, queue });
}

export function record(run: OpenRun, actor: Actor, payload: EventPayload): void {
  run.events.push(event(run.engine, actor, payload));
}

export function setState(run: OpenRun, state: RunState): void {
  run.changes.state = state;
}
