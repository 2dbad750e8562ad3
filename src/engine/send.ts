import type { Actor } from '../domain/actor.ts';
import type { MessageState } from '../domain/event.ts';
import { isEnded } from '../domain/run.ts';
import { between } from '../lib/crash-point.ts';
import { SwitchyardError } from '../lib/error.ts';
import { findMessage, insertMessage, updateAnswer } from '../store/messages.ts';
import type { StepRow } from '../store/rows.ts';
import { openStep } from '../store/steps.ts';
import { command } from './command.ts';
import { apply } from './decide.ts';
import type { Engine } from './engine.ts';
import { discarded } from './go-on.ts';
import { isHeld } from './hold.ts';
import { goOnFor } from './send-resume.ts';
import { type OpenRun, record, writeAndAdmit } from './transition.ts';

export interface Sending {
  /** Given by whoever sends it: the same one again is the same message. */
  readonly id: string;
  readonly text: string;
  readonly actor: Actor;
  /** Interrupt the turn that is at work. */
  readonly now: boolean;
  /** Where a run goes on whose work is merged: a commit of the target that holds it. */
  readonly onto?: string | undefined;
}

export interface Sent {
  readonly state: Exclude<MessageState, 'delivered'>;
  /** What happens now, as a sentence. */
  readonly text: string;
}

/**
 * A person says something to a run's agent. It is stored, and either waits for the end of the agent's present turn, or for the agent that
 * is next, or has a run that does nothing more by itself go on. Refuses with `run/discarded`, `run/cancelling`, `send/no-agent`.
 */
export async function sendMessage(engine: Engine, id: string, sending: Sending): Promise<Sent> {
  return between(engine.crashPoint, 'decision', async () => {
    let answer: Sent | undefined;
    await command(engine, id, async (run) => {
      const known = await findMessage(run.queries, sending.id);
      answer = known?.answer as Sent | undefined;
      if (known !== undefined) return;
      answer = await send(run, sending);
      await writeAndAdmit(run);
    });
    // Known by the command's name: the commit had gone through.
    answer ??= (await findMessage(engine.database, sending.id))?.answer as Sent | undefined;
    if (answer === undefined) throw new Error(`message ${sending.id} was not stored`);
    return answer;
  });
}

async function send(run: OpenRun, sending: Sending): Promise<Sent> {
  const { row } = run;
  if (row.state.kind === 'discarded') throw discarded(row);
  if (row.cancelling) throw cancelling(run);
  if (row.state.kind !== 'parked' && !isEnded(row.state.kind)) return queue(run, sending);
  const held = await openStep(run.queries, row.id);
  if (held !== undefined && isHeld(run.engine, held)) return letGo(run, { sending, held });
  // Stored first, since it is given to the step for which the run goes on.
  await store(run, sending, { state: 'resumed', text: 'The run goes on.' });
  const step = await goOnFor(run, [sending], sending.onto);
  if (step === undefined) throw noAgent(run);
  const answer: Sent = { state: 'resumed', text: `The run goes on at ${nameOf(step)}.` };
  await updateAnswer(run.queries, sending.id, answer);
  return answer;
}

async function queue(run: OpenRun, sending: Sending): Promise<Sent> {
  const step = await openStep(run.queries, run.row.id);
  const answer = expected(step, sending.now);
  await store(run, sending, answer);
  return answer;
}

/** A run that a person has had open and left to wait goes on with the step that it was in. */
async function letGo(run: OpenRun, { sending, held }: { sending: Sending; held: StepRow }): Promise<Sent> {
  const next = held.agentic ? 'with it' : 'and the next agent is told';
  const answer: Sent = { state: 'resumed', text: `The run goes on at ${nameOf(held)}, ${next}.` };
  await store(run, sending, answer);
  await apply(run, { choice: 'retry', actor: sending.actor });
  return answer;
}

/** What will become of a message to a run that is at work. */
function expected(step: StepRow | undefined, now: boolean): Sent {
  if (step === undefined) return { state: 'queued', text: 'The next agent is told.' };
  const name = nameOf(step);
  if (!step.agentic)
    return { state: 'queued', text: `${name} comes first; then the next agent is told, or the run goes on for it.` };
  if (step.state !== 'running') return { state: 'queued', text: `${name} begins with it.` };
  return now
    ? { state: 'delivering', text: `The turn of ${name} is interrupted for it.` }
    : { state: 'queued', text: `It is delivered when the present turn of ${name} ends.` };
}

async function store(run: OpenRun, { id, text, actor }: Sending, answer: Sent): Promise<void> {
  const { row, engine, queries } = run;
  const urgent = answer.state === 'delivering';
  const sent_at = new Date(engine.clock.now());
  await insertMessage(queries, { id, run: row.id, text, actor, urgent, answer, sent_at, step: null });
  record(run, actor, { kind: 'message', level: 'info', text, sent: { id, state: answer.state } });
}

const nameOf = ({ node, n }: Pick<StepRow, 'node' | 'n'>) => `${node} #${n}`;

function cancelling({ row: { slug } }: OpenRun): SwitchyardError {
  return new SwitchyardError({
    code: 'run/cancelling',
    message: `Run ${slug} is being cancelled.`,
    hint: 'Send it once the run has stopped: then the run goes on with it.',
  });
}

function noAgent({ row: { slug } }: OpenRun): SwitchyardError {
  return new SwitchyardError({
    code: 'send/no-agent',
    message: `No agent has worked in run ${slug} yet, so nobody can be told.`,
    hint: `Let it go on first: \`switchyard retry ${slug}\`; see \`switchyard why ${slug}\`.`,
  });
}
