import type { Actor } from '../domain/actor.ts';
import { insertMessage } from '../store/messages.ts';
import type { StepRow } from '../store/rows.ts';
import { openStep } from '../store/steps.ts';
import { type OpenRun, record } from './transition.ts';

/**
 * What a person has said with a decision reaches the agent that goes on because of it: where the blueprint hands the note on it is in the
 * step's own values; else it is a message for the step.
 */
export async function handNote(
  run: OpenRun,
  { note, actor }: { note?: string | undefined; actor: Actor },
): Promise<void> {
  if (note === undefined) return;
  const step = await openStep(run.queries, run.row.id);
  if (step?.agentic !== true || isGiven(step, note)) return;
  const id = run.engine.ids();
  const answer = { state: 'resumed', text: `The run goes on at ${step.node} #${step.n}.` } as const;
  const sent_at = new Date(run.engine.clock.now());
  await insertMessage(run.queries, {
    id,
    run: run.row.id,
    text: note,
    actor,
    urgent: false,
    answer,
    sent_at,
    step: step.id,
  });
  record(run, actor, {
    kind: 'message',
    level: 'info',
    text: note,
    node: step.node,
    n: step.n,
    sent: { id, state: 'resumed' },
  });
}

/** Whether the blueprint hands the text on to the step. */
export function isGiven({ inputs }: Pick<StepRow, 'inputs'>, text: string): boolean {
  return Object.values(inputs).includes(text);
}
