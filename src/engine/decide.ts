import { advance, currentNode, type FlowState, retry } from '../blueprint/advance.ts';
import type { Actor } from '../domain/actor.ts';
import { type RunState, stateVerb } from '../domain/run.ts';
import { between } from '../lib/crash-point.ts';
import { SwitchyardError } from '../lib/error.ts';
import type { StepRow } from '../store/rows.ts';
import { latestStep, openStep } from '../store/steps.ts';
import { insertAside } from './aside.ts';
import { command } from './command.ts';
import type { Engine } from './engine.ts';
import { goOnAt } from './go-on.ts';
import { grantMore } from './grant.ts';
import { isHeld, letGo } from './hold.ts';
import { handNote } from './send-note.ts';
import {
  answerOutputs,
  current,
  discard,
  endWaiting,
  enter,
  type OpenRun,
  park,
  record,
  setState,
  writeAndAdmit,
} from './transition.ts';

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
    const row = await command(engine, id, async (run) => {
      await apply(run, decision);
      await handNote(run, decision);
      await writeAndAdmit(run);
    });
    return row.state;
  });
}

/** The same within a transaction that writes the run itself. */
export async function apply(run: OpenRun, decision: Decision): Promise<void> {
  const { actor, note } = decision;
  const choice = checked(run, decision);
  const said = note === undefined ? {} : { note };
  const at = choice === 'retry' ? verifyAt(run) : undefined;
  record(run, actor, {
    kind: 'run.resumed',
    choice,
    head: current(run).head,
    ...said,
    ...(at === undefined ? {} : { node: at }),
  });
  const waiting = await openStep(run.queries, run.row.id);
  if (waiting !== undefined && isOwnChoice(run, waiting, choice)) await answer(run, waiting, { choice, note, actor });
  else if (choice === 'abandoned') await abandon(run, waiting, actor);
  else await tryAgain(run, waiting, actor);
}

/** The check with which a retry begins. */
function verifyAt(run: OpenRun): string | undefined {
  const { state } = current(run);
  return state.kind === 'parked' ? state.needs.verify : undefined;
}

function checked(run: OpenRun, decision: Decision): string {
  const row = current(run);
  const choice = decision.choice ?? 'approved';
  if (row.state.kind !== 'parked') {
    throw new SwitchyardError({
      code: 'run/not-parked',
      message: `Run ${row.slug} ${stateVerb(row.state.kind)}, and waits for nobody.`,
      hint: `See \`switchyard why ${row.slug}\`.`,
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
  const { blueprint, flow } = current(run);
  const at = currentNode(blueprint, flow as FlowState);
  return at?.path === waiting.node && at.node.outcomes.includes(choice);
}

interface Given {
  readonly choice: string;
  readonly note: string | undefined;
  readonly actor: Actor;
}

async function answer(run: OpenRun, waiting: StepRow, { choice, note, actor }: Given): Promise<void> {
  const outputs = answerOutputs(choice, note, actor);
  await endWaiting(run, waiting, { outcome: choice, outputs, actor });
  setState(run, { kind: 'running' });
  const { blueprint, flow } = current(run);
  await enter(run, advance(blueprint, flow as FlowState, { outcome: choice, outputs, detail: note }));
}

async function abandon(run: OpenRun, waiting: StepRow | undefined, actor: Actor): Promise<void> {
  if (waiting !== undefined) await endWaiting(run, waiting, { outcome: 'abandoned', outputs: {}, actor });
  await discard(run, actor);
}

async function tryAgain(run: OpenRun, waiting: StepRow | undefined, actor: Actor): Promise<void> {
  const { queries } = run;
  const row = current(run);
  const { state } = row;
  if (state.kind !== 'parked') return;
  if (waiting !== undefined && isHeld(run.engine, waiting)) return letGo(run, waiting);
  if (waiting !== undefined) return park(run, { ...state, node: waiting.node }); // the approval is asked again
  const verify = verifyAt(run);
  if (verify !== undefined) return goOnAt(run, { node: verify, actor, newRound: true });
  await grantMore(run, actor);
  setState(run, { kind: 'running' });
  const last = await latestStep(queries, row.id);
  if (last?.aside === true) return insertAside(run, last.inputs);
  await enter(run, retry(row.blueprint, row.flow as FlowState));
}
