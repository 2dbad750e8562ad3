import { type Actor, SYSTEM } from '../domain/actor.ts';
import { isEnded } from '../domain/run.ts';
import { insertMessage } from '../store/messages.ts';
import type { RunRow } from '../store/rows.ts';
import { latestStep, openStep, updateStep } from '../store/steps.ts';
import { command } from './command.ts';
import type { Engine } from './engine.ts';
import { isHeld, letGo, OPEN_CODE } from './hold.ts';
import { PARK_CHOICES } from './park-reasons.ts';
import { placeOf } from './place-of.ts';
import { type OpenRun, park, record, removeWorkspaces, setEnded, setState, writeAndAdmit } from './transition.ts';
import { checkToVerify } from './verify-by-hand.ts';

/** Why a run is parked that was handed back to wait. */
export const HANDED_BACK_CODE = 'open/waits';

export interface HandedBack {
  readonly opening: string;
  /** The run's head with everything that the person did. */
  readonly head: string;
  /** For the journal, one sentence each. */
  readonly said: readonly string[];
  /** What the agent is told that works next; nothing when nothing has changed. */
  readonly toAgent: string | undefined;
  /** A run that was stopped at work stays parked. */
  readonly stay: boolean;
  readonly actor: Actor;
}

/**
 * Gives a run back that a person had open, once nothing of theirs lives in the workspace any more: it goes on where it was, with the new
 * head. Done already is no failure, and changes nothing.
 */
export async function handBackRun(engine: Engine, id: string, back: HandedBack): Promise<RunRow> {
  return command(
    engine,
    id,
    async (run) => {
      if (run.row.opening?.id !== back.opening) return;
      run.changes.opening = null;
      await moveHead(run, back.head);
      for (const text of back.said) record(run, back.actor, { kind: 'message', level: 'info', text });
      record(run, back.actor, { kind: 'run.resumed', choice: OPEN_CODE, head: back.head });
      await tellAgent(run, back);
      await goOn(run, back);
      await writeAndAdmit(run);
    },
    { whileOpen: true },
  );
}

/** Takes what was found in the workspace when it was opened into the run: the head moves, with nobody's hands on it yet. */
export async function takeFound(
  engine: Engine,
  id: string,
  { opening, head, said }: { opening: string; head: string; said: readonly string[] },
): Promise<RunRow> {
  return command(
    engine,
    id,
    async (run) => {
      const { row } = run;
      if (row.opening?.id !== opening) throw new Error(`run ${id} was handed back while it was being opened`);
      await moveHead(run, head);
      if (row.state.kind === 'parked') setState(run, { ...row.state, needs: { ...row.state.needs, head } });
      for (const text of said) record(run, SYSTEM, { kind: 'message', level: 'info', text });
      await writeAndAdmit(run);
    },
    { whileOpen: true },
  );
}

/** The step that is held, if one is, goes on counting its work from where it began. */
async function moveHead(run: OpenRun, head: string): Promise<void> {
  const { row, queries, engine } = run;
  if (head === row.head) return;
  run.changes.head = head;
  if (row.mergeable === row.head) run.changes.mergeable = head;
  const step = await openStep(queries, row.id);
  if (step !== undefined && isHeld(engine, step) && step.stood_on === null)
    await updateStep(queries, step.id, { stood_on: row.head });
}

/** Whatever agent works next has to know, whether or not the run goes on now. */
async function tellAgent({ queries, row, engine }: OpenRun, back: HandedBack): Promise<void> {
  if (back.toAgent === undefined) return;
  await insertMessage(queries, {
    id: `open-${back.opening}`,
    run: row.id,
    text: back.toAgent,
    actor: back.actor,
    urgent: false,
    answer: { state: 'queued', text: 'The agent is told when it goes on.' },
    sent_at: new Date(engine.clock.now()),
    step: null,
    quiet: true,
  });
}

async function goOn(run: OpenRun, back: HandedBack): Promise<void> {
  const before = run.row.opening?.before;
  if (before === undefined) return;
  if (before.kind === 'parked') {
    const { reason, needs } = before;
    const verify = back.head === needs.head ? needs.verify : await checkToVerify(run, before);
    return park(run, {
      reason,
      needs: { ...needs, head: back.head, ...(verify === undefined ? {} : { verify }) },
      node: placeOf(run.row, await latestStep(run.queries, run.row.id))?.node ?? null,
    });
  }
  if (isEnded(before.kind)) {
    setEnded(run, before, back.actor);
    return before.kind === 'succeeded' ? removeWorkspaces(run) : undefined;
  }
  await goOnWorking(run, back, before.kind === 'queued' ? 'queued' : 'running');
}

async function goOnWorking(run: OpenRun, back: HandedBack, state: 'running' | 'queued'): Promise<void> {
  const { row, queries, engine } = run;
  const step = await openStep(queries, row.id);
  if (step === undefined || !isHeld(engine, step)) throw new Error(`run ${row.id} was held at no step`);
  if (!back.stay) return letGo(run, step, state);
  const message = `${row.opening?.by ?? 'Somebody'} had it open, and wants it to wait.`;
  const needs = { kind: 'checkout' as const, choices: [...PARK_CHOICES], head: back.head };
  park(run, { reason: { code: HANDED_BACK_CODE, message }, needs, node: step.node });
}
