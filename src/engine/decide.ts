import { advance, currentNode, type FlowState, retry } from '../blueprint/advance.ts';
import type { Actor } from '../domain/actor.ts';
import type { RunState } from '../domain/run.ts';
import { between } from '../lib/crash-point.ts';
import { SwitchyardError } from '../lib/error.ts';
import type { StepRow } from '../store/rows.ts';
import { getRun, lockRun } from '../store/runs.ts';
import { latestStep, openStep, updateStep } from '../store/steps.ts';
import type { Engine } from './engine.ts';
import { discard, enter, type OpenRun, openRun, park, record, setState, write } from './transition.ts';
import { insertAside } from './aside.ts';
import { grantAgain } from './settle.ts';

export interface Decision {
  /** Without it `approved`. */
  readonly choice?: string | undefined;
  /** The head that the person has looked at. */
  readonly head?: string | undefined;
  readonly note?: string | undefined;
  readonly actor: Actor;
}

/**
 * A person's word on a parked run: answers the approval that it waits at, tries again, or abandons it. Refuses with `run/not-parked`,
 * `decision/choice` and `decision/head-moved`.
 */
export async function decide(engine: Engine, id: string, decision: Decision): Promise<RunState> {
  return between(engine.crashPoint, 'decision', async () => {
    await engine.database.transaction(async (queries) => {
      const row = await lockRun(queries, id);
      const run = openRun(engine, queries, row);
      const choice = checked(run, decision);
      record(run, decision.actor, { kind: 'run.resumed', choice, head: row.head, ...(decision.note === undefined ? {} : { note: decision.note }) });
      const waiting = await openStep(queries, id);
      if (waiting !== undefined && isOwnChoice(run, waiting, choice)) await answer(run, waiting, { ...decision, choice });
      else if (choice === 'abandoned') await abandon(run, waiting, decision.actor);
      else await tryAgain(run, waiting);
      await write(run);
    });
    return (await getRun(engine.database, id)).state;
  });
}

function checked(run: OpenRun, decision: Decision): string {
  const { row } = run;
  const choice = decision.choice ?? 'approved';
  if (row.state.kind !== 'parked') {
    throw new SwitchyardError({
      code: 'run/not-parked',
      message: `Run ${row.slug} is ${row.state.kind}, and waits for nobody.`,
      hint: 'See `switchyard why RUN`.',
    });
  }
  const { choices } = row.state.needs;
  if (!choices.includes(choice)) {
    throw new SwitchyardError({
      code: 'decision/choice',
      message: `Run ${row.slug} does not offer ${JSON.stringify(choice)}: its choices are ${choices.join(', ')}.`,
      hint: `Give one of them: \`switchyard approve ${row.slug} --choice ${choices[0] ?? 'retry'}\`.`,
    });
  }
  if (decision.head !== undefined && !(decision.head.length >= 7 && row.head.startsWith(decision.head))) {
    throw new SwitchyardError({
      code: 'decision/head-moved',
      message: `The head of ${row.slug} is ${row.head.slice(0, 12)}, not ${decision.head.slice(0, 12)}.`,
      hint: `Look at it again with \`switchyard diff ${row.slug}\`, and decide on that head.`,
    });
  }
  return choice;
}

/** Whether the choice is an outcome of the node that the run waits at, and not one of those that every park has. */
function isOwnChoice(run: OpenRun, waiting: StepRow, choice: string): boolean {
  const { row } = run;
  const current = currentNode(row.blueprint, row.flow as FlowState);
  return current?.path === waiting.node && current.node.outcomes.includes(choice);
}

async function answer(run: OpenRun, waiting: StepRow, { choice, note, actor }: Decision & { choice: string }): Promise<void> {
  const outputs = { choice, feedback: note ?? null, by: actor.kind === 'person' ? actor.name : actor.kind };
  await endWaiting(run, waiting, { outcome: choice, outputs, actor });
  setState(run, { kind: 'running' });
  await enter(run, advance(run.row.blueprint, run.row.flow as FlowState, { outcome: choice, outputs, detail: note }));
}

async function abandon(run: OpenRun, waiting: StepRow | undefined, actor: Actor): Promise<void> {
  if (waiting !== undefined) await endWaiting(run, waiting, { outcome: 'abandoned', outputs: {}, actor });
  await discard(run, actor);
}

async function tryAgain(run: OpenRun, waiting: StepRow | undefined): Promise<void> {
  const { row, queries } = run;
  if (row.state.kind !== 'parked') return;
  if (waiting !== undefined) return park(run, { ...row.state, node: waiting.node }); // the approval is asked again
  run.changes.granted = grantAgain(row.state.reason.code, row.settings.limits, row.granted);
  setState(run, { kind: 'running' });
  const last = await latestStep(queries, row.id);
  if (last?.aside === true) return insertAside(run, last.inputs);
  await enter(run, retry(row.blueprint, row.flow as FlowState));
}

interface Answered {
  readonly outcome: string;
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly actor: Actor;
}

async function endWaiting(run: OpenRun, waiting: StepRow, { outcome, outputs, actor }: Answered): Promise<void> {
  const { head } = run.row;
  await updateStep(run.queries, waiting.id, { state: 'ended', outcome, outputs, head, ended_at: new Date(run.engine.clock.now()) });
  record(run, actor, { kind: 'step.ended', node: waiting.node, n: waiting.n, outcome, checkpoint: head });
}
